"""A server that reads the beginning of a request, answers and closes."""

from both import beside, listen
from socket import create_connection


def serve(listener):
    conn, _ = listener.accept()
    conn.recv(4)
    conn.sendall(b"go away\n")
    conn.close()  # MISTAKE


with listen() as listener, create_connection(listener.getsockname()) as client:
    client.sendall(b"GET / and much more that nobody will read\n")
    beside(serve, listener).join()
    try:
        print(client.recv(100), client.recv(100))
    except ConnectionResetError as error:
        print(error)
