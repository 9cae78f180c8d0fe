"""Prints what an operation costs: a line sent and answered by asyncio's streams, 10 at a time."""

import asyncio
import time

CLIENTS, COUNT = 10, 300


async def serve(reader, writer):
    while line := await reader.readline():
        writer.write(line)
        await writer.drain()
    writer.close()


async def talk(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(COUNT):
        writer.write(b"hello\n")
        await writer.drain()
        await reader.readline()
    writer.close()
    await writer.wait_closed()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    began = time.process_time()
    await asyncio.gather(*(talk(port) for _ in range(CLIENTS)))
    print((time.process_time() - began) * 1e6 / CLIENTS / COUNT)
    server.close()
    await server.wait_closed()


asyncio.run(main())
