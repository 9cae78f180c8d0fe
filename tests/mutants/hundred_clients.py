"""Echo: a table of 100 clients, and no way back for the next."""

import threading

from base import echo, serve

room = threading.Semaphore(100)


def talk(client):
    if not room.acquire(blocking=False):
        return
    try:
        echo(client)
    finally:
        room.release()


serve(talk)
