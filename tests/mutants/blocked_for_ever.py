"""Echo: its time-out is for recv() alone; a send() that blocks has none."""

import select

from base import serve


def talk(client):
    while select.select([client], [], [], 1.0)[0]:
        data = client.recv(65536)
        if not data:
            return
        client.sendall(data)


serve(talk)
