"""An echo server over TLS: ``python tls_echo.py PORT CERTIFICATE KEY [HANDSHAKE_SECONDS]``.

asyncio closes both directions of TLS together, so what is asked with close_notify right behind it
gets no reply (asyncio's documentation, ``can_write_eof()``).
"""

import asyncio
import ssl
import sys

HANDSHAKE = float(sys.argv[4]) if len(sys.argv) > 4 else 10.0
IDLE = 300.0

# [old-tls]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.minimum_version = ssl.TLSVersion.TLSv1_2  # TLS 1.0 and 1.1 are broken (RFC 8996)
# [/old-tls]
context.load_cert_chain(sys.argv[2], sys.argv[3])


async def serve(reader, writer):
    try:
        while data := await asyncio.wait_for(reader.read(65536), IDLE):
            writer.write(data)
            await asyncio.wait_for(writer.drain(), IDLE)
        # [no-close-notify]
        # close() says close_notify, abort() does not; wait_closed() waits until it was sent.
        writer.close()
        await asyncio.wait_for(writer.wait_closed(), 5)
        # [/no-close-notify]
    except OSError:  # TimeoutError is one
        pass  # RST, FIN without close_notify, or the time-out
    finally:
        writer.transport.abort()


async def main():
    # [endless-handshake]
    # For the handshake as a whole, however many bytes of it come; other clients go on meanwhile.
    server = await asyncio.start_server(
        serve,
        "127.0.0.1",
        int(sys.argv[1]),
        ssl=context,
        ssl_handshake_timeout=HANDSHAKE,
        backlog=1024,
    )
    # [/endless-handshake]
    await server.serve_forever()


asyncio.run(main())
