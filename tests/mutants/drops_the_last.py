"""Echo: an index that is off by one."""

from base import serve


def talk(client):
    while data := client.recv(65536):
        client.sendall(data[:-1])


serve(talk)
