"""A flood: ``python flood.py HOST PORT SECONDS`` sends as many datagrams as it can, of 0 and of 1
byte in turn, reads no answer, and prints how many it sent. A process, for it takes a whole core.
"""

from __future__ import annotations

import socket
import sys
import time


def flood(host: str, port: int, seconds: float) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect((host, port))
        sent, until = 0, time.monotonic() + seconds
        while time.monotonic() < until:
            for _ in range(128):
                sock.send(b"")
                sock.send(b"x")
            sent += 256
        return sent


if __name__ == "__main__":
    print(flood(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
