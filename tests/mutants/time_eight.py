"""Time (RFC 868): 8 bytes, for time_t has so many."""

import struct
import time

from base import linger, serve


def talk(client):
    client.sendall(struct.pack("!Q", int(time.time()) + 2_208_988_800))
    linger(client)


serve(talk)
