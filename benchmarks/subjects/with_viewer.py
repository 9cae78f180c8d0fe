"""A bench with its page, and a viewer of every event in a process of its own: ``… twistd ARGS``."""

from __future__ import annotations

import os
import socket
import sys
import time

#: Seconds between two attempts of the viewer to connect.
_AGAIN = 0.05


def view(port: int) -> None:
    """Read the stream of events until it ends."""
    request = f"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port)) as sock:
                sock.sendall(request)
                while sock.recv(2**20):
                    pass
                return
        except OSError:
            time.sleep(_AGAIN)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


page = free_port()
if (child := os.fork()) == 0:
    if os.fork() == 0:  # nobody's child, so that its time is not counted as the server's
        os.sched_setaffinity(0, set(range(os.cpu_count() or 1)) - os.sched_getaffinity(0) or {0})
        view(page)
    os._exit(0)
os.waitpid(child, 0)
os.execv(sys.argv[1], [*sys.argv[1:], "--page", str(page)])
