"""Sends three lines, the first in two pieces: python client.py PORT"""

import socket
import sys
import time

with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as conn:
    conn.sendall(b"hello wor")
    time.sleep(0.1)
    conn.sendall(b"ld\n")
    time.sleep(0.1)
    conn.sendall(b"one\ntwo\n")
    conn.shutdown(socket.SHUT_WR)
    with conn.makefile("rb") as answers:
        for answer in answers:
            print(answer.decode(), end="")
