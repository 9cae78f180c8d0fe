"""Prints what an operation costs: connect, accept, one message, both closes."""

import socket
import time

COUNT = 1500

with socket.create_server(("127.0.0.1", 0)) as listener:
    address = listener.getsockname()
    began = time.process_time()
    for _ in range(COUNT):
        with socket.create_connection(address) as client:
            conn, _ = listener.accept()
            with conn:
                client.sendall(b"hello\n")
                conn.recv(100)
    print((time.process_time() - began) * 1e6 / COUNT)
