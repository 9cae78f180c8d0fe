"""The time with poll(): the server speaks first, and closes."""

import select
import struct
import time
from both import beside, listen
from socket import create_connection


def serve(listener):
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    for _ in range(2):
        poll.poll(10_000)
        conn, _ = listener.accept()
        with conn:
            conn.sendall(struct.pack("!I", int(time.time()) + 2_208_988_800))


with listen() as listener:
    server = beside(serve, listener)
    for _ in range(2):
        with create_connection(listener.getsockname()) as client:
            print(len(client.recv(4)), client.recv(4))
    server.join()
