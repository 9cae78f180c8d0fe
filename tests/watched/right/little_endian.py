"""The same in the other byte order, which both ends agree on."""

import struct
from both import beside, listen
from socket import create_connection


def serve(listener):
    conn, _ = listener.accept()
    with conn:
        (size,) = struct.unpack("<I", conn.recv(4))
        conn.sendall(conn.recv(size))


with listen() as listener:
    server = beside(serve, listener)
    with create_connection(listener.getsockname()) as client:
        client.sendall(struct.pack("<I", 5) + b"hello")
        print(client.recv(100))
    server.join()
