"""Sends back each datagram: ``python datagrams.py PORT``."""

import socket
import sys

#: Replies come from ports below this: two servers that answer each other never end.
SERVICES = 1024

with socket.socket(type=socket.SOCK_DGRAM) as sock:
    # [datagrams-lost]
    # What comes while we work waits here; what does not fit is lost.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**20)
    # [/datagrams-lost]
    sock.bind(("127.0.0.1", int(sys.argv[1])))
    while True:
        # [cuts-datagrams]
        # No datagram is longer; of a longer one the kernel would throw away the rest.
        data, asker = sock.recvfrom(65535)
        # [/cuts-datagrams]
        # [answers-replies]
        if asker[1] < SERVICES or asker == sock.getsockname():
            continue
        # [/answers-replies]
        # [answers-from-elsewhere]
        # [amplifies]
        # By the socket that was asked, to the one who asked, and never more than he sent: his
        # address may be forged.
        try:
            sock.sendto(data, asker)
        except OSError:
            pass  # an ICMP error of an earlier datagram, or a full buffer
        # [/amplifies]
        # [/answers-from-elsewhere]
