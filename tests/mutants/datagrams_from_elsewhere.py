"""UDP echo: answers from a new socket."""

import socket

from base import datagrams


def answer(sock, data, asker):
    with socket.socket(type=socket.SOCK_DGRAM) as new:
        new.bind(("127.0.0.1", 0))
        new.sendto(data, asker)


datagrams(answer)
