"""Lines: knows CRLF, so that what nc sends has no end."""

from base import serve


def talk(client):
    waiting = b""
    while data := client.recv(65536):
        *lines, waiting = (waiting + data).split(b"\r\n")
        for line in lines:
            client.sendall(line + b"\r\n")


serve(talk)
