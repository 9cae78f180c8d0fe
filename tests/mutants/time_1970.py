"""Time (RFC 868): counts from 1970."""

import struct
import time

from base import linger, serve


def talk(client):
    client.sendall(struct.pack("!I", int(time.time())))
    linger(client)


serve(talk)
