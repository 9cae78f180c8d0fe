"""Messages with their length before them, in network byte order."""

import struct
from both import beside, listen
from socket import create_connection


def exactly(sock, size):
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            return None
        data += more
    return data


def message(sock):
    head = exactly(sock, 4)
    return head and exactly(sock, *struct.unpack("!I", head))


def send(sock, data):
    sock.sendall(struct.pack("!I", len(data)) + data)


def serve(listener):
    conn, _ = listener.accept()
    with conn:
        while data := message(conn):
            send(conn, data[::-1])


with listen() as listener:
    server = beside(serve, listener)
    with create_connection(listener.getsockname()) as client:
        for text in (b"hello", b"x" * 100_000, b"\0\0\0\5"):
            send(client, text)
            print(len(message(client)))
    server.join()
