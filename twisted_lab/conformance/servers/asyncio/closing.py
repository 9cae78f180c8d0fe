"""Says the time (RFC 868) and closes: ``python closing.py PORT``."""

import asyncio
import struct
import sys
import time

SECONDS_1900_TO_1970 = 2_208_988_800


async def serve(reader, writer):
    try:
        # [wrong-reply]
        # To the letter of RFC 868: four bytes, the most significant first ("!"), from 1900 on.
        now = int(time.time()) + SECONDS_1900_TO_1970
        writer.write(struct.pack("!I", now % 2**32))
        # [/wrong-reply]
        # [reset-unread]
        # close() while something is unread makes the kernel send RST, which may overtake the
        # reply. So FIN goes first, and what comes is read and dropped, until the client's FIN;
        # but for five seconds and a mebibyte at most.
        writer.write_eof()
        dropped = 0
        async with asyncio.timeout(5):
            while dropped < 2**20 and (data := await reader.read(65536)):
                dropped += len(data)
        # [/reset-unread]
    except OSError:  # TimeoutError is one
        pass  # RST, or it took too long
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), backlog=1024)
    await server.serve_forever()


asyncio.run(main())
