"""UDP echo: takes an empty datagram for the end of a stream."""

import socket

from base import PORT

with socket.socket(type=socket.SOCK_DGRAM) as sock:
    sock.bind(("127.0.0.1", PORT))
    while True:
        data, asker = sock.recvfrom(65535)
        if not data:
            break
        sock.sendto(data, asker)
