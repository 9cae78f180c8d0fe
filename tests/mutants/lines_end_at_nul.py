"""Lines: strings as in C."""

from base import serve


def talk(client):
    with client.makefile("rwb") as file:
        while line := file.readline():
            said, nul, _ = line.partition(b"\0")
            file.write(said + (b"\r\n" if nul else b""))
            file.flush()


serve(talk)
