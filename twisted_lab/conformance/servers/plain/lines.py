"""Sends back each line, a thread for each client: ``python lines.py PORT [IDLE_SECONDS]``."""

import socket
import sys
import threading
import time

IDLE = float(sys.argv[2]) if len(sys.argv) > 2 else 300.0
LONGEST = 16384


class TooLong(Exception):
    """A line has no end, or comes too late."""


def lines(client):
    """Each line with its end, whatever pieces it comes in; the last one may have no end."""
    # [reads-once]
    # [one-reply-a-read]
    # What recv() returns is some bytes of a stream: a part of a line, or many. So they are put
    # together, cut at the ends of lines, and what has no end yet waits for more.
    waiting = b""
    until = time.monotonic() + IDLE
    while data := receive(client, until):
        # [line-ends]
        # LF ends a line; a CR before it is sent back as it came.
        *whole, waiting = (waiting + data).split(b"\n")
        for line in whole:
            yield line + b"\n"
        # [/line-ends]
        # [endless-line]
        # What waits is memory, so it has a bound.
        if len(waiting) > LONGEST:
            raise TooLong
        # [/endless-line]
        if whole:
            until = time.monotonic() + IDLE  # for a whole line: single bytes do not count
    if waiting:
        yield waiting
    # [/one-reply-a-read]
    # [/reads-once]


def receive(client, until):
    """Some bytes, none after FIN; TimeoutError when *until* has come."""
    client.settimeout(max(0.001, until - time.monotonic()))
    return client.recv(65536)


def say_goodbye(client, text):
    """Say *text*, then FIN; and read on a while, or RST would take the text away."""
    client.settimeout(2)
    client.sendall(text)
    client.shutdown(socket.SHUT_WR)
    until = time.monotonic() + 2
    while client.recv(65536) and time.monotonic() < until:
        pass


def serve(client):
    with client:
        try:
            for line in lines(client):
                client.settimeout(IDLE)
                client.sendall(line)
        except TooLong:
            say_goodbye(client, b"line too long\n")
        except OSError:
            pass  # RST, or the time-out


def guarded(client):
    try:
        serve(client)
    except OSError:
        pass  # it was gone before it had heard why


with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024) as listener:
    while True:
        threading.Thread(target=guarded, args=(listener.accept()[0],), daemon=True).start()
