"""Echo over a UNIX socket, and a pair of sockets."""

import os
import socket
import tempfile
from both import beside


def serve(listener):
    conn, _ = listener.accept()
    with conn:
        while data := conn.recv(1024):
            conn.sendall(data)


with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
    listener.bind(os.path.join(folder, "echo"))
    listener.listen()
    server = beside(serve, listener)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(os.path.join(folder, "echo"))
        client.sendall(b"hello")
        print(client.recv(100))
    server.join()
one, two = socket.socketpair()
with one, two:
    one.sendall(b"there")
    print(two.recv(100))
