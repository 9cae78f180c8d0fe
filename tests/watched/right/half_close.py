"""A client that says it is done, and reads to the end."""

import socket
from both import beside, listen


def serve(listener):
    conn, _ = listener.accept()
    with conn:
        data = b""
        while more := conn.recv(1024):
            data += more
        conn.sendall(b"%d bytes\n" % len(data))


with listen() as listener:
    server = beside(serve, listener)
    with socket.create_connection(listener.getsockname()) as client:
        client.sendall(b"x" * 5000)
        client.shutdown(socket.SHUT_WR)
        print(client.recv(100), client.recv(100))
    server.join()
