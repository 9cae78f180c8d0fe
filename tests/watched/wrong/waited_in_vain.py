"""A server that waits for more than its client sends."""

import time
from both import beside, listen
from socket import create_connection


def serve(listener):
    conn, _ = listener.accept()
    with conn:
        data = conn.recv(5)
        while len(data) < 10 and (more := conn.recv(5)):  # MISTAKE
            data += more
        conn.sendall(data)


with listen() as listener:
    server = beside(serve, listener)
    with create_connection(listener.getsockname()) as client:
        client.sendall(b"hello")
        time.sleep(0.1)
        client.settimeout(1.5)
        try:
            print(client.recv(100))
        except TimeoutError as error:
            print(error)
    server.join()
