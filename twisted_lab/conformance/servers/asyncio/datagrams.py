"""Sends back each datagram: ``python datagrams.py PORT``."""

import asyncio
import socket
import sys

#: Replies come from ports below this: two servers that answer each other never end.
SERVICES = 1024


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport
        # [datagrams-lost]
        # What comes while we work waits here; what does not fit is lost.
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**20)
        # [/datagrams-lost]

    # [cuts-datagrams]
    def datagram_received(self, data, asker):
        # Always one whole datagram: asyncio's own buffer is larger than any.
        # [/cuts-datagrams]
        # [answers-replies]
        if asker[1] < SERVICES or asker == self.transport.get_extra_info("sockname"):
            return
        # [/answers-replies]
        # [answers-from-elsewhere]
        # [amplifies]
        # By the socket that was asked, to the one who asked, and never more than he sent: his
        # address may be forged.
        self.transport.sendto(data, asker)
        # [/amplifies]
        # [/answers-from-elsewhere]

    def error_received(self, error):
        """An ICMP error of an earlier datagram: nothing of ours."""


async def main():
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", int(sys.argv[1])))
    await asyncio.Event().wait()


asyncio.run(main())
