"""A process for each client.

The server has a process of its own: forked beside the clients, its children would hold their
sockets too, and no client's close() would be seen.
"""

import os
import socketserver
from socket import create_connection


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(1024):
            self.request.sendall(data)


with socketserver.ForkingTCPServer(("127.0.0.1", 0), Handler) as server:
    serving = os.fork()
    if not serving:
        for _ in range(3):
            server.handle_request()
        server.server_close()
        os._exit(0)
    for _ in range(3):
        with create_connection(server.server_address) as client:
            client.sendall(b"hello\n")
            print(client.recv(1024))
os.waitpid(serving, 0)
