"""Echo: says hello, which nobody asked for."""

from base import echo, serve


def talk(client):
    client.sendall(b"welcome\r\n")
    echo(client)


serve(talk)
