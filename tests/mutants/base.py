"""What the wrong servers have in common, and is right: a listener, a thread for each client."""

import contextlib
import socket
import sys
import threading

PORT = int(sys.argv[1])


def listen(backlog=1024):
    return socket.create_server(("127.0.0.1", PORT), backlog=backlog)


def serve(talk, listener=None):
    """Run ``talk(client)`` for each client in a thread of its own; its socket is closed then."""
    listener = listener or listen()
    while True:
        client, _address = listener.accept()
        threading.Thread(target=_guarded, args=(talk, client), daemon=True).start()


def _guarded(talk, client):
    with client, contextlib.suppress(OSError):
        talk(client)


def echo(client):
    while data := client.recv(65536):
        client.sendall(data)


def linger(client):
    """FIN, and read what comes until the client's."""
    client.shutdown(socket.SHUT_WR)
    while client.recv(65536):
        pass


def datagrams(answer, size=65535):
    """Run ``answer(sock, data, asker)`` for each datagram."""
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**20)
        sock.bind(("127.0.0.1", PORT))
        while True:
            data, asker = sock.recvfrom(size)
            if asker[1] >= 1024 and asker[1] != PORT:
                answer(sock, data, asker)
