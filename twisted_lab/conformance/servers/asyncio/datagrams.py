"""Sends back each datagram: ``python datagrams.py PORT``.

Before Python 3.13 asyncio sends no empty datagram, so an empty one has no answer.
"""

import asyncio
import socket
import sys

#: Servers have the ports below this: what comes from there can only be a reply.
SERVICES = 1024


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport
        # [datagrams-lost]
        # What comes while we work waits here, and what does not fit is lost. The kernel cuts the
        # number to net.core.rmem_max.
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**20)
        # [/datagrams-lost]

    # [cuts-datagrams]
    # [datagrams-lost]
    def datagram_received(self, data, asker):
        # One call is one whole datagram, and *asker* is who sent this one. asyncio's own buffer
        # is larger than any datagram, so none is cut.
        # [/datagrams-lost]
        # [/cuts-datagrams]
        # [answers-replies]
        # A forged datagram may name another server, or ourselves, as its source: then each
        # reply would be answered, for ever.
        if asker[1] < SERVICES or asker == self.transport.get_extra_info("sockname"):
            return
        # [/answers-replies]
        # [answers-from-elsewhere]
        # [amplifies]
        # By the socket that was asked, to the one who asked this, and never more than he sent:
        # his address may be forged, and then somebody else gets it.
        self.transport.sendto(data, asker)
        # [/amplifies]
        # [/answers-from-elsewhere]

    def error_received(self, error):
        """An ICMP error of an earlier datagram: nothing of ours."""


async def main():
    loop = asyncio.get_running_loop()
    # [answers-from-elsewhere]
    # Bound to one address: with 0.0.0.0 the kernel would choose the one a reply leaves from.
    await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", int(sys.argv[1])))
    # [/answers-from-elsewhere]
    await asyncio.Event().wait()


asyncio.run(main())
