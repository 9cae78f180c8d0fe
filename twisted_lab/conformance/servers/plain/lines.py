"""Sends back each line, a thread for each client: ``python lines.py PORT [IDLE_SECONDS]``."""

import socket
import sys
import threading
import time

IDLE = float(sys.argv[2]) if len(sys.argv) > 2 else 300.0
LONGEST = 16384


class TooLong(Exception):
    """More bytes than ``LONGEST`` came without the end of a line."""


def lines(client):
    """Each line with its end, whatever pieces it comes in; the last one may have no end."""
    # [reads-once]
    # [one-reply-a-read]
    # What recv() returns is some bytes of a stream: a part of a line, or many lines. So they are
    # put together, cut at the ends of lines, and what has no end yet waits for more.
    waiting = b""
    until = time.monotonic() + IDLE
    while data := receive(client, until):
        # [endless-line]
        # [line-ends]
        # At LF, not at CRLF: else a client that sends LF alone would wait for ever. A CR before
        # LF belongs to the end, too: strip it where it matters. Here it goes back as it came.
        *whole, waiting = (waiting + data).split(b"\n")
        # [/line-ends]
        for line in whole:
            check(line)
            yield line + b"\n"
        check(waiting)  # its end has not come, and it is memory: so it has a bound
        # [/endless-line]
        if whole:
            until = time.monotonic() + IDLE  # for a whole line: single bytes do not count
    if waiting:
        yield waiting
    # [/one-reply-a-read]
    # [/reads-once]


# [endless-line]
def check(line):
    if len(line) > LONGEST:
        raise TooLong


# [/endless-line]
def receive(client, until):
    """Some bytes, none after FIN; TimeoutError when *until* has come."""
    client.settimeout(max(0.001, until - time.monotonic()))
    return client.recv(65536)


def serve(client):
    with client:
        try:
            for line in lines(client):
                client.settimeout(IDLE)
                client.sendall(line)
        # [endless-line]
        except TooLong:
            # A person sees nothing else. FIN first, and read on a while: closing with something
            # unread would send RST, which may take these words away.
            client.settimeout(2)
            client.sendall(b"line too long\n")
            client.shutdown(socket.SHUT_WR)
            drop(client)
        # [/endless-line]


def drop(client):
    """Read until FIN, but for two seconds and a mebibyte at most."""
    until = time.monotonic() + 2
    dropped = 0
    while dropped < 2**20 and (data := receive(client, until)):
        dropped += len(data)


def guarded(client):
    try:
        serve(client)
    except OSError:
        pass  # RST, or the time-out


with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024) as listener:
    while True:
        threading.Thread(target=guarded, args=(listener.accept()[0],), daemon=True).start()
