"""Echo: takes what one recv() returns for the whole request."""

from base import serve


def talk(client):
    client.sendall(client.recv(65536))


serve(talk)
