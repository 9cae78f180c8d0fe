"""Lines: answers the first line of each recv()."""

from base import serve


def talk(client):
    waiting = b""
    while data := client.recv(65536):
        waiting += data
        if b"\n" in waiting:
            line, _, _ = waiting.partition(b"\n")
            client.sendall(line + b"\n")
            waiting = b""


serve(talk)
