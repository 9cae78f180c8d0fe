"""Echo with a thread for each client, three of them at once."""

from both import beside, listen
from socket import create_connection


def talk(conn):
    with conn:
        while data := conn.recv(1024):
            conn.sendall(data)


def serve(listener):
    for thread in [beside(talk, listener.accept()[0]) for _ in range(3)]:
        thread.join()


with listen() as listener:
    server = beside(serve, listener)
    clients = [create_connection(listener.getsockname()) for _ in range(3)]
    for client in clients:
        client.sendall(b"one\ntwo\n")
    for client in clients:
        print(client.recv(1024))
        client.close()
    server.join()
