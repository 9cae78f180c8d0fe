"""Lines: splits at LF, leaves CR in the line, and adds CRLF."""

from base import serve


def talk(client):
    waiting = b""
    while data := client.recv(65536):
        *lines, waiting = (waiting + data).split(b"\n")
        for line in lines:
            client.sendall(line + b"\r\n")


serve(talk)
