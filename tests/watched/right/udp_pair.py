"""Two that talk by datagrams, one of them connected, with buffers for the largest."""

import socket

with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as two:
    one.bind(("127.0.0.1", 0))
    two.connect(one.getsockname())
    for size in (0, 1, 1472, 60_000):
        two.send(b"x" * size)
        data, peer = one.recvfrom(65535)
        one.sendto(data, peer)
        print(len(two.recv(65535)))
