"""One byte at a time, and sends that take only a part."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.explaining import counted
from twisted_lab.study.drawing import Picture, both
from twisted_lab.study.experiment import Exercise, Observation, Task
from twisted_lab.study.seen import Seen

AIM = (
    "To see that a stream may come byte by byte, and that send() may take less than it was given:"
    " what it returns says how much."
)
ASKED = (
    "Does a recv() wait until it has all the bytes that were asked for?",
    "What does send() return when the kernel has no room for all?",
    "What does sendall() do that send() does not?",
)


def server():
    """Reads a line byte by byte; then, after Enter, reads all that comes."""
    import socket
    import sys

    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    print("listening on port", listener.getsockname()[1])
    conn, peer = listener.accept()

    line = b""
    while not line.endswith(b"\n"):
        line += conn.recv(100)  # 100 at most: it returns with what there is
    print("line of", len(line), "bytes")
    conn.sendall(b"go on\n")

    input()  # does not read, until you press Enter
    total = 0
    while data := conn.recv(1_000_000):
        total += len(data)
    print("then", total, "bytes")
    conn.close()
    listener.close()


def client():
    """Sends a line byte by byte; then more at once than the kernel takes."""
    import socket
    import sys
    import time

    sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # each byte by itself
    for byte in b"hello\n":
        sock.send(bytes([byte]))
        time.sleep(0.01)
    print(sock.recv(100).decode().strip())

    data = bytes(20_000_000)
    sock.setblocking(False)  # send() takes what there is room for, and returns
    sent = sock.send(data)
    print("not all of it" if sent < len(data) else "all of it")
    sock.setblocking(True)
    sock.sendall(data[sent:])  # calls send() until nothing is left
    sock.close()


def in_twisted():
    """The same: write() takes all there is, and the reactor sends it piece by piece."""
    import sys

    from twisted.internet import protocol, reactor, task

    class Sender(protocol.Protocol):
        def connectionMade(self):
            self.transport.setTcpNoDelay(True)
            self.bytes = iter(b"hello\n")
            self.loop = task.LoopingCall(self.next)
            self.loop.start(0.01)

        def next(self):
            byte = next(self.bytes, None)
            if byte is None:
                self.loop.stop()
            else:
                self.transport.write(bytes([byte]))

        def dataReceived(self, data):
            print(data.decode().strip())
            self.transport.write(bytes(20_000_000))  # never waits, and never takes a part
            print("not all of it")
            self.transport.loseConnection()  # once all of it has gone

        def connectionLost(self, reason):
            reactor.stop()

    factory = protocol.ClientFactory.forProtocol(Sender)
    reactor.connectTCP("127.0.0.1", int(sys.argv[1]), factory)
    reactor.run()


PROGRAMS = (server, client)
TWISTED = {"client": in_twisted}


def play(stage):
    """Enter is pressed once the client's send() has returned."""
    server = stage.start("server", 0)
    client = stage.start("client", server.number())
    client.line()
    client.line()
    server.enter()
    server.finish()
    client.finish()


def observe(seen: Seen) -> Iterator[Observation]:
    """What the calls were given, and what they returned."""
    server, client = seen.server, seen.client
    single = [size for size in client.sizes("send") if size == 1]
    line = [
        one
        for one in server.done("recv")
        if one.event == "received" and one.call.arguments == "100"
    ]
    sizes = ", ".join(str(one.bytes) for one in line)
    yield Observation(
        len(single) == 6 and len(line) > 1,
        f"{counted(len(single), 'send')} of 1 byte came by {counted(len(line), 'recv')} of"
        f" {sizes} bytes, though each asked for 100",
    )
    big = client.done("send")[-1]
    given = int(big.call.arguments.partition(" ")[0])
    yield Observation(
        0 < big.bytes < given,
        f"send() was given {counted(given)} and returned {big.bytes:,}"
        + (": it took a part" if big.bytes < given else ": it took all"),
    )
    rest = client.done("sendall")[-1]
    yield Observation(
        big.bytes + rest.bytes == given,
        f"sendall() sent the other {counted(rest.bytes)}, and took"
        f" {rest.call.duration * 1000:.0f} ms until the kernel had them",
    )
    came = sum(server.sizes("recv"))
    yield Observation(
        came == 6 + given,
        f"the server received {counted(came)}, and {counted(6 + given)} were sent",
    )


def pictures(seen: Seen) -> Iterator[Picture]:
    """The first of the calls: of the many that follow one sees no more."""
    yield both(seen.client.first(14), seen.server.first(14), "The first calls of both")


RESULT = (
    "recv() returns as soon as it has anything, so reading goes on until the message is whole."
    " send() returns how much the kernel took, so what is left is the program's to send again,"
    " which sendall() does."
)
TRY = (
    Task(
        "Leave out sendall() in the client.",
        "How many bytes does the server get, and who is told of the loss?",
    ),
    Task(
        "Leave out TCP_NODELAY and the sleep.",
        "By how many recvs does the line come now? Who joined the bytes?",
    ),
)
EXERCISE = Exercise(
    "Write a server that sends back every byte, also many at once to a client that begins to read"
    " late: none may be missing.",
    "echo",
    ("S0[1-8]", "H01", "H02", "H05"),
)
