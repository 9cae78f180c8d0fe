"""Echo: a text stream, in which LF becomes CRLF."""

from base import serve


def talk(client):
    while data := client.recv(65536):
        client.sendall(data.replace(b"\n", b"\r\n"))


serve(talk)
