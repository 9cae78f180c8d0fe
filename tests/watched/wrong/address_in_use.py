"""A server on a port that another has."""

import socket
from both import listen

with listen() as listener, socket.socket() as second:
    try:
        second.bind(listener.getsockname())  # MISTAKE
    except OSError as error:
        print(error)
