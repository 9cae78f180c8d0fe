"""Sends back each datagram: ``python datagrams.py PORT``."""

import socket
import sys

#: Servers have the ports below this: what comes from there can only be a reply.
SERVICES = 1024

with socket.socket(type=socket.SOCK_DGRAM) as sock:
    # [datagrams-lost]
    # What comes while we work waits here, and what does not fit is lost. The kernel cuts the
    # number to net.core.rmem_max.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**20)
    # [/datagrams-lost]
    # [answers-from-elsewhere]
    # Bound to one address: with 0.0.0.0 the kernel would choose the one a reply leaves from.
    sock.bind(("127.0.0.1", int(sys.argv[1])))
    # [/answers-from-elsewhere]
    while True:
        # [cuts-datagrams]
        # [datagrams-lost]
        # No datagram is longer than this. With less, the kernel would cut a longer one and
        # throw away the rest, without an error.
        data, asker = sock.recvfrom(65535)
        # [/datagrams-lost]
        # [/cuts-datagrams]
        # [answers-replies]
        # A forged datagram may name another server, or ourselves, as its source: then each
        # reply would be answered, for ever.
        if asker[1] < SERVICES or asker == sock.getsockname():
            continue
        # [/answers-replies]
        # [answers-from-elsewhere]
        # [amplifies]
        # [datagrams-lost]
        # [dies]
        # By the socket that was asked, to the one who asked this, and never more than he sent:
        # his address may be forged, and then somebody else gets it.
        try:
            sock.sendto(data, asker)
        except OSError:
            pass  # he cannot be reached: nothing of ours
        # [/dies]
        # [/datagrams-lost]
        # [/amplifies]
        # [/answers-from-elsewhere]
