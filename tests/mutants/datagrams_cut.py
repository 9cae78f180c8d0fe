"""UDP echo: a buffer of 512 bytes."""

from base import datagrams

datagrams(lambda sock, data, asker: sock.sendto(data, asker), size=512)
