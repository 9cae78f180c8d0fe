"""Echo: one loop for all, and sendall() in it, which waits for one."""

import select

from base import listen

listener = listen()
clients = []
while True:
    ready, _, _ = select.select([listener, *clients], [], [])
    for sock in ready:
        try:
            if sock is listener:
                clients.append(listener.accept()[0])
            elif data := sock.recv(65536):
                sock.sendall(data)
            else:
                raise ConnectionError
        except OSError:
            clients.remove(sock)
            sock.close()
