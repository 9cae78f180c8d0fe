"""A length prefix in network byte order, read in the machine's."""

import struct
from both import beside, listen
from socket import create_connection


def serve(listener):
    conn, _ = listener.accept()
    with conn:
        (size,) = struct.unpack("<I", conn.recv(4))
        print(size, conn.recv(size))  # MISTAKE


with listen() as listener:
    server = beside(serve, listener)
    with create_connection(listener.getsockname()) as client:
        client.sendall(struct.pack(">I", 5) + b"hello")
    server.join()
