"""Daytime (RFC 867): says it, and does not close."""

import time

from base import serve


def talk(client):
    client.sendall(time.ctime().encode() + b"\r\n")
    while client.recv(65536):
        pass


serve(talk)
