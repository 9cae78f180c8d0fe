"""A server whose answer is no line, though the client reads lines."""

from both import beside, listen
from socket import create_connection


def serve(listener):
    conn, _ = listener.accept()
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            conn.sendall(b"you said " + line.strip())  # MISTAKE


with listen() as listener:
    server = beside(serve, listener)
    with create_connection(listener.getsockname()) as client, client.makefile("rb") as lines:
        client.settimeout(0.5)
        client.sendall(b"hello\n")
        try:
            print(lines.readline())
        except TimeoutError as error:
            print(error)
    server.join()
