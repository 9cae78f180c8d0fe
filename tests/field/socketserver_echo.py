"""Echo with the standard library's socketserver, a thread for each client: ``tcp|udp PORT``."""

import socketserver
import sys


class Streams(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(1024):
            self.request.sendall(data)


class Datagrams(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        sock.sendto(data, self.client_address)


SERVERS = {
    "tcp": (socketserver.ThreadingTCPServer, Streams),
    "udp": (socketserver.ThreadingUDPServer, Datagrams),
}

kind, handler = SERVERS[sys.argv[1]]
with kind(("127.0.0.1", int(sys.argv[2])), handler) as server:
    server.serve_forever()
