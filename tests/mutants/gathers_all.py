"""Echo: reads on, and gathers what the client does not take."""

import queue
import threading

from base import serve


def talk(client):
    waiting = queue.SimpleQueue()
    writer = threading.Thread(target=write, args=(client, waiting))
    writer.start()
    while data := client.recv(65536):
        waiting.put(data)
    waiting.put(None)
    writer.join()


def write(client, waiting):
    try:
        while data := waiting.get():
            client.sendall(data)
    except OSError:
        pass


serve(talk)
