"""Echo: strings as in C: what follows a NUL is not there."""

from base import serve


def talk(client):
    while data := client.recv(65536):
        client.sendall(data.partition(b"\0")[0])


serve(talk)
