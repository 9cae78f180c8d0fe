"""Answers each line of one client in capitals: python capitals.py PORT"""

import socket
import sys

with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listener:
    print(listener.getsockname()[1], flush=True)
    conn, peer = listener.accept()
    with conn, conn.makefile("rwb") as lines:
        for line in lines:
            lines.write(line.strip().upper() + b"\n")
            lines.flush()
