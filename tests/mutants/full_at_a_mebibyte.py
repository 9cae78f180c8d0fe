"""Any: asserts that nobody sends more than a mebibyte."""

import os

from base import serve


def talk(client):
    size = 0
    while data := client.recv(65536):
        size += len(data)
        if size > 2**20:
            os._exit(1)


serve(talk)
