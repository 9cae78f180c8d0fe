"""Lines: the idle time-out begins anew with each byte of a line."""

from base import serve


def talk(client):
    client.settimeout(1.5)
    with client.makefile("rwb") as file:
        while line := file.readline():
            file.write(line)
            file.flush()


serve(talk)
