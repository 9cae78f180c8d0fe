"""One at a time, threads, select, an event loop: the same server four ways."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.diagram import Group, Lane, Mark, Span, draw_lanes
from twisted_lab.study.drawing import Picture, picture
from twisted_lab.study.experiment import Exercise, Observation, Task
from twisted_lab.study.seen import Ended, Seen

AIM = (
    "To see what becomes of the other clients while one of them dawdles, with the four ways in"
    " which a server can wait for several."
)
ASKED = (
    "What does a server do while it waits in recv() for one client?",
    "How do threads help, and how many are needed?",
    "How can one thread wait for all at once?",
    "What does an event loop add to select()?",
)


def one_at_a_time():
    """Serves a client to its end, then takes the next."""
    import socket
    import sys

    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    print("listening on port", listener.getsockname()[1])
    for _ in range(3):
        conn, peer = listener.accept()
        with conn:
            conn.sendall(conn.recv(100).upper())  # the others wait for this recv()
    listener.close()


def threads():
    """A thread for each client: each waits in a recv() of its own."""
    import socket
    import sys
    import threading

    def serve(conn):
        with conn:
            conn.sendall(conn.recv(100).upper())

    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    print("listening on port", listener.getsockname()[1])
    for _ in range(3):
        conn, peer = listener.accept()
        threading.Thread(target=serve, args=(conn,)).start()
    listener.close()


def select_loop():
    """One thread asks the kernel which of all sockets is ready, and calls nothing that waits."""
    import select
    import socket
    import sys

    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    print("listening on port", listener.getsockname()[1])
    waiting, served = [listener], 0
    while served < 3:
        ready, _, _ = select.select(waiting, [], [])
        for sock in ready:
            if sock is listener:
                conn, peer = listener.accept()  # does not wait: it is ready
                waiting.append(conn)
            else:
                sock.sendall(sock.recv(100).upper())
                waiting.remove(sock)
                sock.close()
                served += 1
    listener.close()


def event_loop():
    """The loop selects; a coroutine for each client is written as if it were alone."""
    import asyncio
    import sys

    async def main():
        served = asyncio.Semaphore(0)

        async def serve(reader, writer):
            data = await reader.read(100)  # the loop goes on with the others
            writer.write(data.upper())
            writer.close()
            await writer.wait_closed()
            served.release()

        server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
        print("listening on port", server.sockets[0].getsockname()[1])
        for _ in range(3):
            await served.acquire()
        server.close()

    asyncio.run(main())


def client():
    """Three clients; the first dawdles until the others have their answers, or 1 s."""
    import select
    import socket
    import sys

    def connect():
        return socket.create_connection(("127.0.0.1", int(sys.argv[1])))

    names = {connect(): name for name in ("the one that dawdles", "the second", "the third")}
    slow, *others = waiting = list(names)
    for sock in others:
        sock.sendall(b"hello")
    waiting.remove(slow)

    while waiting:
        ready, _, _ = select.select(waiting, [], [], 1 if slow else None)
        for sock in ready:
            sock.recv(100)
            print(names[sock], "has its answer")
            waiting.remove(sock)
            sock.close()
        if slow and (not ready or not waiting):
            slow.sendall(b"hello")  # at last
            waiting.insert(0, slow)
            slow = None


def in_twisted():
    """The same: the reactor is the loop, and a Protocol is one client's part of it."""
    import sys

    from twisted.internet import protocol, reactor

    class Capitals(protocol.Protocol):
        def dataReceived(self, data):
            self.transport.write(data.upper())
            self.transport.loseConnection()

    factory = protocol.Factory.forProtocol(Capitals)
    port = reactor.listenTCP(int(sys.argv[1]), factory, interface="127.0.0.1")
    print("listening on port", port.getHost().port)
    reactor.run()


PROGRAMS = (one_at_a_time, threads, select_loop, event_loop, client)
TWISTED = {"event_loop": in_twisted}

_WAYS = {
    "one_at_a_time": "one at a time",
    "threads": "threads",
    "select_loop": "select",
    "event_loop": "an event loop",
}


def play(stage):
    """The same client at each server."""
    for way in _WAYS:
        server = stage.start(way, 0)
        client = stage.start("client", server.number(), name=f"client_{way}")
        client.finish()
        server.finish()


def observe(seen: Seen) -> Iterator[Observation]:
    """Who was answered first, and how long the others waited."""
    for way, name in _WAYS.items():
        client = seen[f"client_{way}"]
        order = [line.removesuffix(" has its answer") for line in client.output]
        slow, *others = (client.of(one) for one in client.connections())
        waited = max(_answered(one) - _asked(one) for one in others) / 1e6
        before = max(map(_answered, others)) < _answered(slow)
        yield Observation(
            before == (way != "one_at_a_time"),
            f"{name}: answered were {', then '.join(order)}; the others waited for up to"
            f" {waited:.1f} ms, "
            + ("while the first still dawdled" if before else "for the first"),
        )
    counts = {way: len({one.call.thread for one in seen[way].calls("recv")}) for way in _WAYS}
    yield Observation(
        counts["threads"] == 3 and counts["select_loop"] == counts["event_loop"] == 1,
        "threads that called recv(): "
        + ", ".join(f"{_WAYS[way]} {count}" for way, count in counts.items()),
    )


def compare(plain: Seen, twisted: Seen) -> Iterator[Observation]:
    """Whether the others were answered first by the reactor, too."""
    said = twisted["client_event_loop"].output
    yield Observation(
        said[-1].startswith("the one that dawdles"),
        f"with Twisted's server the client printed: {'; '.join(said)}",
    )


def _asked(one: Ended) -> int:
    return int(one.done("sendall")[0].ns)


def _answered(one: Ended) -> int:
    return int(one.done("recv")[0].ns)


def pictures(seen: Seen) -> Iterator[Picture]:
    """All four, by one scale."""
    groups = [Group(name, list(_lanes(seen[f"client_{way}"]))) for way, name in _WAYS.items()]
    yield picture(
        "The three clients of each way, by one scale: grey while a client waits for its answer;"
        " marks are connect(), sendall() and recv()",
        lambda width: draw_lanes(groups, width=width, standalone=False),
    )


def _lanes(client: Ended) -> Iterator[Lane]:
    names = ("dawdles", "second", "third")
    for id, name in zip(client.connections(), names, strict=True):
        one = client.of(id)
        connected, asked, answered = one.done("connect")[0].ns, _asked(one), _answered(one)
        yield Lane(
            name,
            [Span(asked, answered, "waits", f"waits for {(answered - asked) / 1e6:.1f} ms")],
            [
                Mark(connected, "asks", "connect()"),
                Mark(asked, "asks", "sendall()"),
                Mark(answered, "answers", "recv()"),
            ],
        )


RESULT = (
    "A server that waits in recv() for one client serves no other. Threads wait side by side, one"
    " for each client. select() waits for all of them in one thread, if nothing else in it waits;"
    " an event loop is that select(), written once, with each client's part apart from it."
)
TRY = (
    Task(
        "Put time.sleep(1) before the answer in each of the four.",
        "In which of them do the others wait now? Why?",
    ),
    Task(
        "Let 1,000 clients connect and dawdle.",
        "Which way needs what for each: a thread, a descriptor, a turn of the loop?",
    ),
)
EXERCISE = Exercise(
    "Write a server that answers each line with the same line backwards (drawer: reward), for many"
    " clients at once: none may wait for another.",
    'send = "drawer\\n"\nreply = "reward\\n"',
    ("S0[134]", "N01", "N02", "N04", "N08", "H04"),
    aside=(),
)
