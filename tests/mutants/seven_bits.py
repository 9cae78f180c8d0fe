"""Echo: takes away the eighth bit."""

from base import serve


def talk(client):
    while data := client.recv(65536):
        client.sendall(bytes(byte & 127 for byte in data))


serve(talk)
