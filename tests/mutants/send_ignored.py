"""Echo: does not look at what send() returns."""

import socket

from base import serve


def talk(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    while data := client.recv(65536):
        try:
            client.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass


serve(talk)
