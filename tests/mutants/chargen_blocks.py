"""Chargen (RFC 864): one loop for all, in which sendall() waits for one."""

import select

from base import listen

RING = bytes(range(32, 127)) * 2
LINES = b"".join(RING[start : start + 72] + b"\r\n" for start in range(95))
listener = listen()
clients = []
while True:
    ready, _, _ = select.select([listener], [], [], 0 if clients else None)
    if ready:
        clients.append(listener.accept()[0])
    for client in tuple(clients):
        try:
            client.sendall(LINES)
        except OSError:
            clients.remove(client)
            client.close()
