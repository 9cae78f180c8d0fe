"""A server that ends a client which says nothing."""

from both import beside, listen
from socket import create_connection


def serve(listener):
    conn, _ = listener.accept()
    with conn:
        conn.settimeout(1.2)
        try:
            while data := conn.recv(1024):
                conn.sendall(data)
        except TimeoutError:
            conn.sendall(b"too slow\n")


with listen() as listener:
    server = beside(serve, listener)
    with create_connection(listener.getsockname()) as client:
        client.sendall(b"hello\n")
        print(client.recv(1024))
        print(client.recv(1024), client.recv(1024))
    server.join()
