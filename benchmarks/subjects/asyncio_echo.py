"""asyncio's echoes: ``asyncio_echo.py protocol|streams|datagram [uvloop]``."""

import asyncio
import sys


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


class EchoDatagram(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(data, addr)


async def echo_stream(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def protocol():
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0, backlog=4096)
    return "tcp", server.sockets[0]


async def streams():
    server = await asyncio.start_server(echo_stream, "127.0.0.1", 0, backlog=4096)
    return "tcp", server.sockets[0]


async def datagram():
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(EchoDatagram, ("127.0.0.1", 0))
    return "udp", transport.get_extra_info("socket")


async def main(style):
    form, listening = await style()
    print(f"{form} 127.0.0.1:{listening.getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


if "uvloop" in sys.argv[2:]:
    import uvloop

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
asyncio.run(main({"protocol": protocol, "streams": streams, "datagram": datagram}[sys.argv[1]]))
