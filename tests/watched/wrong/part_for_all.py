"""A server for lines that takes what one recv() returns for a line."""

from both import beside, listen
from socket import create_connection


def serve(listener):
    conn, _ = listener.accept()
    with conn:
        while data := conn.recv(1024):  # MISTAKE
            conn.sendall(b"you said " + data.upper())


with listen() as listener:
    server = beside(serve, listener)
    with create_connection(listener.getsockname()) as client:
        client.sendall(b"hel")
        print(client.recv(1024))
        client.sendall(b"lo\n")
        print(client.recv(1024))
    server.join()
