"""Echo with asyncio's protocols, much of it at once, and datagrams."""

import asyncio

SIZE = 3_000_000


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


class Datagrams(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(data, addr)


class Asker(asyncio.DatagramProtocol):
    def __init__(self, done):
        self.done = done

    def datagram_received(self, data, addr):
        self.done.set_result(data)


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"x" * SIZE)
    print(len(await reader.readexactly(SIZE)))
    writer.close()
    await writer.wait_closed()
    server.close()
    there, _ = await loop.create_datagram_endpoint(Datagrams, ("127.0.0.1", 0))
    done = loop.create_future()
    name = there.get_extra_info("sockname")
    here, _ = await loop.create_datagram_endpoint(lambda: Asker(done), remote_addr=name)
    here.sendto(b"hello")
    print(await done)
    here.close()
    there.close()


asyncio.run(main())
