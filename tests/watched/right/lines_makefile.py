"""A server for lines with makefile(), for a client that sends them in pieces, and two at once."""

from both import beside, listen
from socket import create_connection


def serve(listener):
    conn, _ = listener.accept()
    with conn, conn.makefile("rwb") as lines:
        for line in lines:
            lines.write(b"you said " + line)
            lines.flush()


with listen() as listener:
    server = beside(serve, listener)
    with create_connection(listener.getsockname()) as client, client.makefile("rb") as lines:
        client.sendall(b"hel")
        client.sendall(b"lo\nand\nmore\n")
        print(lines.readline(), lines.readline(), lines.readline())
    server.join()
