"""A client that comes before its server, and tries again."""

import socket
import threading

bound = socket.socket()
bound.bind(("127.0.0.1", 0))
refused = threading.Event()


def serve():
    refused.wait()
    bound.listen()
    conn, _ = bound.accept()
    conn.close()


server = threading.Thread(target=serve)
server.start()
while True:
    try:
        client = socket.create_connection(bound.getsockname())
        break
    except ConnectionRefusedError:
        refused.set()
print(client.recv(1))
client.close()
server.join()
bound.close()
