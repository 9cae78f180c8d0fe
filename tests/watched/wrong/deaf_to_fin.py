"""A server that takes the end of the stream for nothing yet."""

from both import beside, listen
from socket import create_connection


def serve(listener):
    conn, _ = listener.accept()
    with conn:
        for _ in range(20):  # a real one never stops
            data = conn.recv(100)  # MISTAKE
            if data:
                conn.sendall(data)


with listen() as listener:
    server = beside(serve, listener)
    with create_connection(listener.getsockname()) as client:
        client.sendall(b"hello\n")
        print(client.recv(100))
    server.join()
