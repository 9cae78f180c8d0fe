"""socketserver's example for datagrams."""

import socket
import socketserver
from both import beside


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        sock.sendto(data.upper(), self.client_address)


with socketserver.UDPServer(("127.0.0.1", 0), Handler) as server:
    serving = beside(server.serve_forever, 0.05)
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        for text in (b"one", b"", b"two"):
            client.sendto(text, server.server_address)
            print(client.recvfrom(1024))
    server.shutdown()
    serving.join()
