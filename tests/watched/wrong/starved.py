"""A server that talks with one client to the end before it accepts the next."""

import time
from both import beside, listen
from socket import create_connection


def serve(listener):
    for _ in range(2):
        conn, _ = listener.accept()
        with conn:
            while data := conn.recv(100):  # MISTAKE
                conn.sendall(data)


with listen() as listener:
    server = beside(serve, listener)
    with create_connection(listener.getsockname()):
        time.sleep(0.1)
        second = create_connection(listener.getsockname())
        second.sendall(b"hello\n")
        time.sleep(1)
    print(second.recv(100))
    second.close()
    server.join()
