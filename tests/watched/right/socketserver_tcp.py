"""socketserver's own example: a line, in capitals."""

import socketserver
from both import beside
from socket import create_connection


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.readline().strip().upper() + b"\n")


with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
    serving = beside(server.serve_forever, 0.05)
    for text in (b"hello world\n", b"python is nice\n"):
        with create_connection(server.server_address) as client:
            client.sendall(text)
            print(client.recv(1024))
    server.shutdown()
    serving.join()
