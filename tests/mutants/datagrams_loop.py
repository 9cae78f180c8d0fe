"""UDP echo: answers whoever seems to ask, the port of another echo, too."""

import socket

from base import PORT

with socket.socket(type=socket.SOCK_DGRAM) as sock:
    sock.bind(("127.0.0.1", PORT))
    while True:
        data, asker = sock.recvfrom(65535)
        sock.sendto(data, asker)
