"""A server that goes on sending when its client has gone."""

from both import beside, listen
from socket import create_connection


def serve(listener):
    conn, _ = listener.accept()
    with conn:
        while conn.recv(100):
            pass
        for _ in range(3):
            conn.sendall(b"are you there?\n")  # MISTAKE


with listen() as listener:
    server = beside(serve, listener)
    with create_connection(listener.getsockname()) as client:
        client.sendall(b"hello\n")
    server.join()
