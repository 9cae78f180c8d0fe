"""Sends back each line, with asyncio's streams: ``python lines.py PORT [IDLE_SECONDS]``."""

import asyncio
import sys

IDLE = float(sys.argv[2]) if len(sys.argv) > 2 else 300.0
LONGEST = 16384


async def serve(reader, writer):
    try:
        await converse(reader, writer)
    except OSError:  # TimeoutError is one
        pass  # RST, or the time-out
    finally:
        writer.transport.abort()


async def converse(reader, writer):
    # [endless-line]
    # readline() raises ValueError for a line longer than the limit that start_server() was told.
    try:
        # [reads-once]
        # [one-reply-a-read]
        # [line-ends]
        # readline() puts together what comes in pieces, and keeps what comes too early: each call
        # is one line. LF ends it; a CR before LF belongs to the end, too: strip it where it
        # matters. Here it goes back as it came. The last line may have no end.
        while line := await asyncio.wait_for(reader.readline(), IDLE):
            writer.write(line)
            await asyncio.wait_for(writer.drain(), IDLE)
        # [/line-ends]
        # [/one-reply-a-read]
        # [/reads-once]
    except ValueError:
        writer.write(b"line too long\n")  # a person sees nothing else
        await end(reader, writer)
    # [/endless-line]
    writer.close()
    await asyncio.wait_for(writer.wait_closed(), IDLE)


# [endless-line]
async def end(reader, writer):
    # FIN first, and read on a while: closing with something unread would send RST, which may
    # take away what was said. But for two seconds and a mebibyte at most.
    writer.write_eof()
    dropped = 0
    async with asyncio.timeout(2):
        while dropped < 2**20 and (data := await reader.read(65536)):
            dropped += len(data)


# [/endless-line]


async def main():
    server = await asyncio.start_server(
        serve, "127.0.0.1", int(sys.argv[1]), backlog=1024, limit=LONGEST
    )
    await server.serve_forever()


asyncio.run(main())
