"""A server that forgets to close."""

from both import beside, listen
from socket import create_connection

everybody = []


def serve(listener):
    for _ in range(4):
        conn, _ = listener.accept()  # MISTAKE
        everybody.append(conn)
        while data := conn.recv(100):
            conn.sendall(data)


with listen() as listener:
    server = beside(serve, listener)
    for number in range(4):
        with create_connection(listener.getsockname()) as client:
            client.sendall(b"hello\n")
            print(number, client.recv(100))
    server.join()
