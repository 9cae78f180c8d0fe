"""Echo: takes urgent data for the end."""

import select

from base import serve


def talk(client):
    while True:
        _, _, urgent = select.select([client], [], [client])
        if urgent:
            return
        data = client.recv(65536)
        if not data:
            return
        client.sendall(data)


serve(talk)
