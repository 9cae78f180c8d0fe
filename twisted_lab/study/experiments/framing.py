"""Framing: a delimiter, a length prefix, a fixed size."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.explaining import counted
from twisted_lab.study.drawing import Picture, both
from twisted_lab.study.experiment import Exercise, Observation, Task
from twisted_lab.study.seen import Seen

AIM = "To send messages over a stream, and to find them again, in the three ways there are."
ASKED = (
    "How does a receiver know where a message ends?",
    "What must it do with the bytes that are of no whole message yet?",
    "What does each way cost in bytes, and what can a message not contain?",
)


def server():
    """Finds the messages of three connections; each is framed in another way."""
    import socket
    import sys

    def pieces(conn):
        while data := conn.recv(7):  # an odd number, so that every frame gets cut
            yield data

    def lines(conn):
        rest = b""
        for data in pieces(conn):
            *whole, rest = (rest + data).split(b"\n")  # keep what is of no whole line yet
            yield from whole

    def length_prefixed(conn):
        rest = b""
        for data in pieces(conn):
            rest += data
            while len(rest) >= 4:
                size = int.from_bytes(rest[:4], "big")  # network byte order
                if len(rest) < 4 + size:
                    break
                yield rest[4 : 4 + size]
                rest = rest[4 + size :]

    def fixed(conn):
        rest = b""
        for data in pieces(conn):
            rest += data
            while len(rest) >= 16:
                yield rest[:16].rstrip(b"\0")
                rest = rest[16:]

    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    print("listening on port", listener.getsockname()[1])
    for find in (lines, length_prefixed, fixed):
        conn, peer = listener.accept()
        with conn:
            print(find.__name__, [message.decode() for message in find(conn)])
            conn.sendall(b"done\n")
    listener.close()


def client():
    """Sends the same three messages, framed in three ways."""
    import socket
    import sys

    def line(message):
        return message + b"\n"

    def length_prefixed(message):
        return len(message).to_bytes(4, "big") + message

    def fixed(message):
        return message.ljust(16, b"\0")

    messages = [b"hello", b"to be framed", b"bye"]
    for frame in (line, length_prefixed, fixed):
        with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as sock:
            for message in messages:
                sock.sendall(frame(message))
            sock.shutdown(socket.SHUT_WR)
            print(frame.__name__, sock.recv(100).decode().strip())


def in_twisted():
    """The same: Twisted has the receivers, and one says only what to do with a message."""
    import itertools
    import sys

    from twisted.internet import protocol, reactor
    from twisted.protocols import basic

    class Report:
        messages = ()

        def received(self, message):
            self.messages = (*self.messages, message.rstrip(b"\0").decode())

        def readConnectionLost(self):  # FIN
            print(self.name, list(self.messages))
            self.transport.write(b"done\n")
            self.transport.loseConnection()

    class Lines(Report, basic.LineOnlyReceiver):
        name, delimiter, lineReceived = "lines", b"\n", Report.received

    class LengthPrefixed(Report, basic.Int32StringReceiver):
        name, stringReceived = "length_prefixed", Report.received

    class Fixed(Report, protocol.Protocol):
        name, rest = "fixed", b""

        def dataReceived(self, data):
            self.rest += data
            while len(self.rest) >= 16:
                self.received(self.rest[:16])
                self.rest = self.rest[16:]

    class Each(protocol.Factory):
        kinds = itertools.cycle((Lines, LengthPrefixed, Fixed))

        def buildProtocol(self, addr):
            return next(self.kinds)()

    from twisted.internet import interfaces
    from zope.interface import implementer

    for kind in (Lines, LengthPrefixed, Fixed):
        implementer(interfaces.IHalfCloseableProtocol)(kind)
        kind.writeConnectionLost = lambda self: None
    port = reactor.listenTCP(int(sys.argv[1]), Each(), interface="127.0.0.1")
    print("listening on port", port.getHost().port)
    reactor.run()


PROGRAMS = (server, client)
TWISTED = {"server": in_twisted}


def observe(seen: Seen) -> Iterator[Observation]:
    """How each way was cut on its way, what was found again, and what it cost."""
    found = [line.partition(" ") for line in seen.server.output[1:]]
    messages = 5 + 12 + 3
    connections = zip(seen.client.connections(), seen.server.connections(), found, strict=True)
    for there, here, (name, _, said) in connections:
        sent = seen.client.of(there).sizes("sendall")
        came = [size for size in seen.server.of(here).sizes("recv") if size]
        yield Observation(
            said == "['hello', 'to be framed', 'bye']" and len(came) > len(sent),
            f"{name}: {counted(len(sent), 'send')} came by {counted(len(came), 'recv')}, and the"
            f" messages found are {said}; {sum(sent) - messages} of {counted(sum(sent))} are"
            " framing",
        )


def compare(plain: Seen, twisted: Seen) -> Iterator[Observation]:
    """Whether Twisted's receivers found the same."""
    before, after = plain.server.output[1:], twisted.server.output[1:]
    yield Observation(
        before == after,
        "Twisted's receivers found the same messages"
        if before == after
        else f"Twisted's receivers found {' / '.join(after)}",
    )


def pictures(seen: Seen) -> Iterator[Picture]:
    """Of the second way: the length and its message are cut anywhere."""
    yield both(
        seen.client.nth(1),
        seen.server.nth(1),
        "The length-prefixed connection: recv() cuts lengths and messages anywhere",
    )


RESULT = (
    "A delimiter costs a byte, and may not be in a message; a length costs a few, and the receiver"
    " knows how much is to come; a fixed size needs no search and wastes what is not filled. All of"
    " them keep what is of no whole message yet until more has come."
)
TRY = (
    Task(
        'Send a message that has a newline in it, such as b"to be\\nframed".',
        "Which of the three ways finds it again?",
    ),
    Task(
        "Let the client send a length of 4,000,000,000 and no message.",
        "What does the server wait for, with how much memory? Which check is missing?",
    ),
    Task(
        'Change "big" to "little" in the client alone.',
        "Which length does the server read instead of 5?",
    ),
)
EXERCISE = Exercise(
    "Write a server that answers each line with the same line backwards (drawer: reward), however"
    " it was cut on its way, and every one of several that come with one recv().",
    'send = "drawer\\n"\nreply = "reward\\n"',
    ("S0*",),
)
