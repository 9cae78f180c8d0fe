"""Sends back each datagram: ``python datagrams.py PORT``."""

import socket
import sys

from twisted.internet import reactor
from twisted.internet.protocol import DatagramProtocol

#: Replies come from ports below this: two servers that answer each other never end.
SERVICES = 1024


class Echo(DatagramProtocol):
    def startProtocol(self):
        # [datagrams-lost]
        # What comes while we work waits here; what does not fit is lost.
        sock = self.transport.getHandle()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**20)
        # [/datagrams-lost]
        self.port = self.transport.getHost().port

    def datagramReceived(self, data, asker):
        # [answers-replies]
        if asker[1] < SERVICES or asker[1] == self.port:
            return
        # [/answers-replies]
        # [answers-from-elsewhere]
        # [amplifies]
        # By the port that was asked, to the one who asked, and never more than he sent: his
        # address may be forged.
        self.transport.write(data, asker)
        # [/amplifies]
        # [/answers-from-elsewhere]


# [cuts-datagrams]
# Twisted's own default is 8192 bytes; of a longer datagram the kernel throws away the rest.
reactor.listenUDP(int(sys.argv[1]), Echo(), interface="127.0.0.1", maxPacketSize=65535)
# [/cuts-datagrams]
reactor.run()
