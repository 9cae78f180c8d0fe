"""An echo server with asyncio's streams: ``python echo.py PORT [IDLE_SECONDS]``."""

import asyncio
import signal
import sys

IDLE = float(sys.argv[2]) if len(sys.argv) > 2 else 300.0


async def echo(reader, writer):
    # [replies-lost]
    # [never-closes]
    # [closes-early]
    # [flood]
    # read() returns no bytes when the client has sent FIN: then, and not before, it is over.
    # Nothing is said before something came.
    while data := await patiently(reader.read(65536)):
        # [sends-once]
        # [no-back-pressure]
        # write() keeps what the kernel does not take; drain() waits while that is much, so no
        # more is read from a client that does not read.
        writer.write(data)
        await patiently(writer.drain())
        # [/no-back-pressure]
        # [/sends-once]
    # [/flood]
    # [/closes-early]
    # [/never-closes]
    writer.close()  # when all replies are sent: close() waits for them, abort() does not
    await patiently(writer.wait_closed())
    # [/replies-lost]


# [no-time-out]
async def patiently(work):
    # For read(), and for drain(), too: a client that says nothing is let go, and one that reads
    # nothing as well. It raises TimeoutError, which is an OSError.
    return await asyncio.wait_for(work, IDLE)


# [/no-time-out]


async def serve(reader, writer):
    # [leaks]
    # [dies]
    # [others-cut-off]
    try:
        await echo(reader, writer)
    except OSError:
        pass  # RST, or the time-out: the end of this client alone
    except asyncio.CancelledError:
        pass  # SIGTERM
    finally:
        writer.transport.abort()  # the descriptor goes, on every way out
    # [/others-cut-off]
    # [/dies]
    # [/leaks]


async def main():
    # [small-backlog]
    # [cannot-restart]
    # [one-at-a-time]
    # serve() runs as a task for each client; while it awaits, the others go on. 1024 may wait to
    # be accepted; the kernel cuts that to net.core.somaxconn. SO_REUSEADDR is set, so that a
    # restart gets its port at once.
    server = await asyncio.start_server(
        serve, "127.0.0.1", int(sys.argv[1]), backlog=1024, reuse_address=True
    )
    # [/one-at-a-time]
    # [/cannot-restart]
    # [/small-backlog]
    # [ignores-sigterm]
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    server.close()  # then main() ends, and run() cancels the clients' tasks
    # [/ignores-sigterm]


asyncio.run(main())
