"""Time (RFC 868): the byte order of the machine."""

import struct
import time

from base import linger, serve


def talk(client):
    client.sendall(struct.pack("<I", (int(time.time()) + 2_208_988_800) % 2**32))
    linger(client)


serve(talk)
