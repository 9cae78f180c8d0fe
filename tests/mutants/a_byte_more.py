"""Echo: sends the NUL at the end of its string, too."""

from base import serve


def talk(client):
    while data := client.recv(65536):
        client.sendall(data + b"\0")


serve(talk)
