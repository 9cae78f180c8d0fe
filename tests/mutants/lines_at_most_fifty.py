"""Lines: handles at most 50 lines of each recv(), and drops the others."""

from base import serve


def talk(client):
    waiting = b""
    while data := client.recv(65536):
        *lines, waiting = (waiting + data).split(b"\n")
        for line in lines[:50]:
            client.sendall(line + b"\n")


serve(talk)
