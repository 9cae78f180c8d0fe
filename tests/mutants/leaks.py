"""Echo: forgets to close where an error was."""

import threading

from base import echo, listen

kept = []


def talk(client):
    try:
        echo(client)
        client.close()
    except OSError:
        kept.append(client)


listener = listen()
while True:
    threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()
