"""Echo: SO_LINGER with 0 seconds "against TIME_WAIT", so the end is RST."""

import socket
import struct

from base import echo, serve


def talk(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    echo(client)


serve(talk)
