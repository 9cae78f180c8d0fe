"""Sends back each datagram: ``python datagrams.py PORT``."""

import socket
import sys

from twisted.internet import reactor
from twisted.internet.protocol import DatagramProtocol

#: Servers have the ports below this: what comes from there can only be a reply.
SERVICES = 1024


class Echo(DatagramProtocol):
    def startProtocol(self):
        # [datagrams-lost]
        # What comes while we work waits here, and what does not fit is lost. The kernel cuts the
        # number to net.core.rmem_max.
        sock = self.transport.getHandle()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**20)
        # [/datagrams-lost]
        self.port = self.transport.getHost().port

    # [datagrams-lost]
    def datagramReceived(self, data, asker):
        # One call is one datagram, and *asker* is who sent this one.
        # [/datagrams-lost]
        # [answers-replies]
        # A forged datagram may name another server, or ourselves, as its source: then each
        # reply would be answered, for ever.
        if asker[1] < SERVICES or asker[1] == self.port:
            return
        # [/answers-replies]
        # [answers-from-elsewhere]
        # [amplifies]
        # By the socket that was asked, to the one who asked this, and never more than he sent:
        # his address may be forged, and then somebody else gets it.
        self.transport.write(data, asker)
        # [/amplifies]
        # [/answers-from-elsewhere]


# [cuts-datagrams]
# [answers-from-elsewhere]
# Twisted's own default is 8192 bytes; of a longer datagram the kernel throws away the rest. And
# with 0.0.0.0 as interface the kernel would choose the address that a reply leaves from.
reactor.listenUDP(int(sys.argv[1]), Echo(), interface="127.0.0.1", maxPacketSize=65535)
# [/answers-from-elsewhere]
# [/cuts-datagrams]
reactor.run()
