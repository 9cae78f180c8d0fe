"""A server with a small buffer for datagrams."""

import socket

with socket.socket(type=socket.SOCK_DGRAM) as server, socket.socket(type=socket.SOCK_DGRAM) as one:
    server.bind(("127.0.0.1", 0))
    one.sendto(b"a message of thirty-one letters", server.getsockname())
    print(server.recvfrom(16))  # MISTAKE
