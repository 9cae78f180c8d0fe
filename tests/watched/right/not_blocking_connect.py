"""connect() that does not block, with select() and SO_ERROR."""

import select
import socket
from both import beside, listen


def serve(listener):
    conn, _ = listener.accept()
    with conn:
        conn.sendall(b"hello\n")


with listen() as listener:
    server = beside(serve, listener)
    with socket.socket() as client:
        client.setblocking(False)
        client.connect_ex(listener.getsockname())
        select.select([], [client], [], 10)
        print(client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        select.select([client], [], [], 10)
        print(client.recv(100))
    server.join()
