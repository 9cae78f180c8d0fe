"""Echo: one loop for all, and no word about ECONNRESET in it."""

import select

from base import listen

listener = listen()
clients = []
while True:
    ready, _, _ = select.select([listener, *clients], [], [])
    for sock in ready:
        if sock is listener:
            clients.append(listener.accept()[0])
        elif data := sock.recv(65536):
            sock.sendall(data)
        else:
            clients.remove(sock)
            sock.close()
