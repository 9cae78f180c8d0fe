"""UDP discard: says that it has got something."""

from base import datagrams

datagrams(lambda sock, data, asker: sock.sendto(b"ok", asker))
