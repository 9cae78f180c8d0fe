"""Two requests on one connection."""

import http.client
from both import beside
from http.server import HTTPServer, SimpleHTTPRequestHandler


class Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass


with HTTPServer(("127.0.0.1", 0), Handler) as server:
    serving = beside(server.serve_forever, 0.05)
    client = http.client.HTTPConnection("127.0.0.1", server.server_port)
    for _ in range(2):
        client.request("GET", "/nothing")
        answer = client.getresponse()
        print(answer.status, len(answer.read()) > 0)
    client.close()
    server.shutdown()
    serving.join()
