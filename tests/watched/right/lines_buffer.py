"""A server for lines with a buffer of its own: a prompt for each, however they come."""

from both import beside, listen
from socket import create_connection


def serve(listener):
    conn, _ = listener.accept()
    with conn:
        conn.sendall(b"> ")
        buffer = b""
        while data := conn.recv(1024):
            buffer += data
            *lines, buffer = buffer.split(b"\n")
            for line in lines:
                conn.sendall(line.upper() + b"\n> ")


def read_prompt(client):
    got = b""
    while not got.endswith(b"> "):
        got += client.recv(100)
    return got


with listen() as listener:
    server = beside(serve, listener)
    with create_connection(listener.getsockname()) as client:
        print(read_prompt(client))
        client.sendall(b"one\n")
        print(read_prompt(client))
        client.sendall(b"tw")
        client.sendall(b"o\n")
        print(read_prompt(client))
    server.join()
