"""Lines with asyncio's streams, two clients at once."""

import asyncio


async def serve(reader, writer):
    while line := await reader.readline():
        writer.write(b"you said " + line)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def talk(name):
    reader, writer = await asyncio.open_connection(*name)
    for text in (b"hello\n", b"a\nb\n"):
        writer.write(text)
        for _ in range(text.count(b"\n")):
            print(await reader.readline())
    writer.close()
    await writer.wait_closed()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    name = server.sockets[0].getsockname()
    await asyncio.gather(talk(name), talk(name))
    server.close()
    await server.wait_closed()


asyncio.run(main())
