"""A server that sends a large file with one send()."""

from both import beside, listen
from socket import create_connection


def serve(listener):
    conn, _ = listener.accept()
    with conn:
        conn.settimeout(10)
        conn.send(bytes(range(256)) * 40_000)  # MISTAKE


with listen() as listener:
    server = beside(serve, listener)
    with create_connection(listener.getsockname()) as client:
        server.join()
        size = 0
        while data := client.recv(65536):
            size += len(data)
        print(size)
