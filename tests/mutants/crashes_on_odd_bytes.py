"""Any: decodes what it gets, and ends where that fails."""

import os

from base import serve


def talk(client):
    while data := client.recv(65536):
        try:
            data.decode()
        except UnicodeDecodeError:
            os._exit(1)
        client.sendall(b"ok\n")


serve(talk)
