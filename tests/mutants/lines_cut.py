"""Lines: takes what comes before the line has its end for nothing."""

from base import serve


def talk(client):
    while data := client.recv(65536):
        for line in data.splitlines(keepends=True):
            if line.endswith(b"\n"):
                client.sendall(line)


serve(talk)
