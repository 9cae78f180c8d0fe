"""The backlog, and a full accept queue."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.study.experiment import Observation, Task
from twisted_lab.study.seen import Seen

AIM = (
    "To see that the kernel takes connections before accept() is called, how many, and what"
    " becomes of one that comes when the queue is full."
)
ASKED = (
    "Is a client connected before the server has called accept()?",
    "How many can wait for accept(), with a backlog of 1?",
    "What does the client see that finds no room?",
)


def server():
    """Listens with a backlog of 1, and accepts nobody until Enter is pressed."""
    import socket
    import sys

    listener = socket.socket()
    listener.bind(("127.0.0.1", int(sys.argv[1])))
    listener.listen(1)
    print("listening on port", listener.getsockname()[1])
    input()  # nobody is accepted, until you press Enter
    listener.settimeout(0.5)
    try:
        while True:
            conn, peer = listener.accept()
            print("accepted one that said", conn.recv(100).decode())
            conn.close()
    except TimeoutError:
        print("nobody else waits")
    listener.close()


def client():
    """Connects four times, one after the other; each may take half a second."""
    import socket
    import sys

    made = []
    for number in range(1, 5):
        sock = socket.socket()
        sock.settimeout(0.5)
        try:
            sock.connect(("127.0.0.1", int(sys.argv[1])))
            sock.sendall(f"client {number}".encode())
            print(number, "is connected")
            made.append(sock)
        except TimeoutError:
            print(number, "got no answer in 0.5 s")
            sock.close()
    for sock in made:
        sock.close()


def in_twisted():
    """The same: listenTCP() has the backlog as an argument."""
    import sys

    from twisted.internet import protocol, reactor, stdio

    class Says(protocol.Protocol):
        def dataReceived(self, data):
            print("accepted one that said", data.decode())

    class Keyboard(protocol.Protocol):
        def dataReceived(self, data):  # Enter
            port.startReading()

    factory = protocol.Factory.forProtocol(Says)
    port = reactor.listenTCP(int(sys.argv[1]), factory, backlog=1, interface="127.0.0.1")
    port.stopReading()  # accept() is not called
    stdio.StandardIO(Keyboard())
    print("listening on port", port.getHost().port)
    reactor.run()


PROGRAMS = (server, client)
TWISTED = {"server": in_twisted}


def play(stage):
    """Enter is pressed once all four have tried."""
    server = stage.start("server", 0)
    client = stage.start("client", server.number())
    client.finish()
    server.enter()
    server.finish()


def observe(seen: Seen) -> Iterator[Observation]:
    """Who was connected when, and who was not."""
    server, client = seen.server, seen.client
    accepted, tries = server.done("accept"), client.calls("connect")
    made = [one for one in tries if one.call.error is None]
    before = [one for one in made if not accepted or one.ns < accepted[0].ns]
    yield Observation(
        len(before) > 0,
        f"{len(before)} of {len(made)} connect() calls returned before accept() was first called",
    )
    backlog = server.done("listen")[0].backlog
    yield Observation(
        len(made) == backlog + 1,
        f"with a backlog of {backlog} the kernel took {len(made)} of {len(tries)} connections",
    )
    failed = [one for one in tries if one.call.error]
    yield Observation(
        len(failed) > 0 and {one.call.error for one in failed} == {"timed out"},
        f"the other {len(failed)} heard nothing: "
        + (
            f"{failed[0].call.error} after {failed[0].call.duration:.2f} s, no refusal"
            if failed
            else "all were connected"
        ),
    )
    said = [line for line in server.output if line.startswith("accepted")]
    sent = [b"".join(client.of(id).data("sendall")).decode() for id in client.connections()]
    yield Observation(
        [line.rpartition("said ")[2] for line in said] == sent,
        f"accept() returned {len(accepted)} in the order in which they had come, and recv() what"
        f" they had sent before: {', '.join(sent)}",
    )


RESULT = (
    "listen() makes the kernel shake hands by itself; connections wait in a queue for accept(),"
    " and may send meanwhile. On Linux a backlog of N leaves room for N + 1. When it is full, new"
    " SYNs are dropped, and the client tries again after 1, 3, 7 s: it sees slowness, no error."
)
TRY = (
    Task(
        "Give the clients 5 s instead of 0.5, and press Enter after 2.",
        "When is the third client connected?",
    ),
    Task(
        "Call listen() without a number.",
        "How many are taken now? What has /proc/sys/net/core/somaxconn to do with it?",
    ),
)
