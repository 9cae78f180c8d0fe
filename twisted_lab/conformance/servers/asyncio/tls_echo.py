"""Echo over TLS: ``python tls_echo.py PORT CERTIFICATE KEY [HANDSHAKE_SECONDS [IDLE_SECONDS]]``.

CERTIFICATE and KEY are PEM files. It is a Protocol, not a coroutine with streams, so that it
answers what comes with close_notify right behind it.
"""

import asyncio
import ssl
import sys

HANDSHAKE = float(sys.argv[4]) if len(sys.argv) > 4 else 10.0
IDLE = float(sys.argv[5]) if len(sys.argv) > 5 else 300.0

# [old-tls]
# TLS 1.0 and 1.1 are broken (RFC 8996).
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.minimum_version = ssl.TLSVersion.TLSv1_2
# [/old-tls]
context.load_cert_chain(sys.argv[2], sys.argv[3])


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.start_timer()

    def start_timer(self):
        self.timer = asyncio.get_running_loop().call_later(IDLE, self.transport.abort)

    # [replies-lost]
    def data_received(self, data):
        # Written at once: when this returns, asyncio looks whether close_notify has come, and
        # then takes no more. A coroutine with streams would be called only after that.
        self.transport.write(data)
        self.timer.cancel()
        self.start_timer()

    # [/replies-lost]
    # [no-close-notify]
    def eof_received(self):
        # close_notify has come. None lets asyncio answer with its own, after all replies, and
        # close. transport.close() sends it, too; transport.abort() does not.
        return None

    # [/no-close-notify]
    def pause_writing(self):
        self.transport.pause_reading()

    def resume_writing(self):
        self.transport.resume_reading()

    def connection_lost(self, error):
        self.timer.cancel()


async def main():
    # [endless-handshake]
    # For the handshake as a whole, however many bytes of it come; other clients go on meanwhile.
    server = await asyncio.get_running_loop().create_server(
        Echo,
        "127.0.0.1",
        int(sys.argv[1]),
        ssl=context,
        ssl_handshake_timeout=HANDSHAKE,
        backlog=1024,
    )
    # [/endless-handshake]
    await server.serve_forever()


asyncio.run(main())
