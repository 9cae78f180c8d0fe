"""Replies with 400 kB to one line and closes, with the rest of the request unread."""

import socket

from base import serve


def talk(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    request = b""
    while b"\n" not in request:
        data = client.recv(4)
        if not data:
            return
        request += data
    client.setblocking(False)
    client.send(b"x" * 400_000 + b"\n")


serve(talk)
