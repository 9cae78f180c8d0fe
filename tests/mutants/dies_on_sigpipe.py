"""Echo: SIGPIPE as in C, where nobody ignores it."""

import contextlib
import signal

from base import serve

signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def talk(client):
    while data := client.recv(100):
        for byte in data:
            with contextlib.suppress(ConnectionResetError):
                client.sendall(bytes([byte]))


serve(talk)
