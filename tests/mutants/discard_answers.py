"""Discard (RFC 863): says that it has got something."""

from base import serve


def talk(client):
    while client.recv(65536):
        client.sendall(b"ok")


serve(talk)
