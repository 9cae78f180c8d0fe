"""Echo with asyncio, after the examples of its documentation: ``once|loop|udp PORT``.

``once`` is the example of the streams, which reads one piece, answers and closes; ``loop`` goes on
to the end of the stream; ``udp`` is the example of the datagrams.
"""

import asyncio
import sys


async def once(reader, writer):
    data = await reader.read(100)
    writer.write(data)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def loop(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


class Datagrams(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(data, addr)


async def main(kind, port):
    if kind == "udp":
        running = asyncio.get_running_loop()
        await running.create_datagram_endpoint(Datagrams, local_addr=("127.0.0.1", port))
        await asyncio.Event().wait()
    server = await asyncio.start_server({"once": once, "loop": loop}[kind], "127.0.0.1", port)
    async with server:
        await server.serve_forever()


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
