"""Echo: reads requests of 64 bytes, and waits for the rest that cannot come."""

import time

from base import serve


def talk(client):
    while True:
        request = b""
        while len(request) < 64:
            data = client.recv(64 - len(request))
            if not data:
                if not request:
                    return
                time.sleep(0.05)
            client.sendall(data)
            request += data


serve(talk)
