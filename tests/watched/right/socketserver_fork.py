"""A process for each client."""

import socketserver
from both import beside
from socket import create_connection


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(1024):
            self.request.sendall(data)


with socketserver.ForkingTCPServer(("127.0.0.1", 0), Handler) as server:
    serving = beside(server.serve_forever, 0.05)
    for _ in range(3):
        with create_connection(server.server_address) as client:
            client.sendall(b"hello\n")
            print(client.recv(1024))
    server.shutdown()
    serving.join()
