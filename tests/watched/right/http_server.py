"""http.server and urllib."""

import urllib.request
from both import beside
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "6")
        self.end_headers()
        self.wfile.write(b"hello\n")

    def log_message(self, *words):
        pass


with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
    serving = beside(server.serve_forever, 0.05)
    for _ in range(2):
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/") as answer:
            print(answer.read())
    server.shutdown()
    serving.join()
