"""Echo: a thread reads, another sends; the one that sees FIN closes for both."""

import queue
import threading
import time

from base import serve


def talk(client):
    waiting = queue.Queue(16)
    threading.Thread(target=write, args=(client, waiting), daemon=True).start()
    while data := client.recv(4096):
        waiting.put(data)


def write(client, waiting):
    try:
        while True:
            client.sendall(waiting.get())
            time.sleep(0.002)
    except OSError:
        pass


serve(talk)
