"""A server for lines that answers once for each recv()."""

import threading
from both import beside, listen
from socket import IPPROTO_TCP, TCP_NODELAY, create_connection

both_sent = threading.Event()


def serve(listener):
    conn, _ = listener.accept()
    with conn:
        conn.sendall(b"ready\n")
        for number in range(2):
            if number:
                both_sent.wait()
            line = conn.recv(1024)  # MISTAKE
            conn.sendall(b"done: " + line.split()[0] + b"\n")


with listen() as listener:
    server = beside(serve, listener)
    with create_connection(listener.getsockname()) as client:
        client.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        print(client.recv(1024))
        client.sendall(b"first\n")
        print(client.recv(1024))
        client.sendall(b"second\n")
        client.sendall(b"third\n")
        both_sent.set()
        print(client.recv(1024))
    server.join()
