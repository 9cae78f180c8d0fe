"""Lines: declares a longest line, and has none."""

from base import serve


def talk(client):
    with client.makefile("rwb") as file:
        while line := file.readline():
            file.write(line)
            file.flush()


serve(talk)
