"""Echo: recv() returned nothing, so it is called again."""

import time

from base import serve


def talk(client):
    while True:
        data = client.recv(65536)
        if not data:
            time.sleep(0.05)
        client.sendall(data)


serve(talk)
