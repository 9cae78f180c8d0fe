"""Answers each line of one client in capitals: python capitals_wrong.py PORT"""

import socket
import sys

with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listener:
    print(listener.getsockname()[1], flush=True)
    conn, peer = listener.accept()
    with conn:
        while data := conn.recv(1024):
            conn.sendall(data.strip().upper() + b"\n")
