"""Prints what an operation costs: 1 KiB sent and answered, over one connection in two threads."""

import socket
import threading
import time

COUNT = 5000
MESSAGE = b"x" * 1024


def serve(listener):
    conn, _ = listener.accept()
    with conn:
        while data := conn.recv(4096):
            conn.sendall(data)


with socket.create_server(("127.0.0.1", 0)) as listener:
    threading.Thread(target=serve, args=(listener,)).start()
    with socket.create_connection(listener.getsockname()) as client:
        began = time.process_time()
        for _ in range(COUNT):
            client.sendall(MESSAGE)
            left = len(MESSAGE)
            while left:
                left -= len(client.recv(4096))
        print((time.process_time() - began) * 1e6 / COUNT)
