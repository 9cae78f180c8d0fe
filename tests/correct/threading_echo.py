"""Echo with the standard library's socketserver: ``python threading_echo.py PORT IDLE``."""

import socketserver
import sys


class Echo(socketserver.BaseRequestHandler):
    def setup(self):
        self.request.settimeout(float(sys.argv[2]))

    def handle(self):
        try:
            while data := self.request.recv(65536):
                self.request.sendall(data)
        except OSError:
            pass  # RST, or the time-out


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024


with Server(("127.0.0.1", int(sys.argv[1])), Echo) as server:
    server.serve_forever()
