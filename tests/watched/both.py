"""What the programs have in common: a listener, and a server in a thread for clients beside it."""

import socket
import threading


def listen(host="127.0.0.1"):
    return socket.create_server((host, 0))


def beside(serve, *arguments):
    """Run *serve* in a thread; the thread."""
    thread = threading.Thread(target=serve, args=arguments)
    thread.start()
    return thread
