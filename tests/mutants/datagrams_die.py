"""UDP echo: asks to be told of ICMP errors (IP_RECVERR), and does not expect one."""

import socket

from base import PORT

IP_RECVERR = 11

with socket.socket(type=socket.SOCK_DGRAM) as sock:
    sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
    sock.bind(("127.0.0.1", PORT))
    while True:
        data, asker = sock.recvfrom(65535)
        sock.sendto(data, asker)
