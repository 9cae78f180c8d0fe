"""UDP: loss by a full receive buffer, and truncation."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.explaining import counted
from twisted_lab.study.drawing import Picture, both
from twisted_lab.study.experiment import Observation, Task
from twisted_lab.study.seen import Seen

AIM = (
    "To see that datagrams get lost even on one machine, that nobody is told, and that a short"
    " buffer cuts a datagram for good."
)
ASKED = (
    "What happens to a datagram that finds the receive buffer full?",
    "Does the sender learn of it? Does the receiver?",
    "Where are the bytes that a recvfrom() had no room for?",
)


def server():
    """Has a small buffer, and reads only once Enter is pressed."""
    import socket
    import sys

    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    sock.bind(("127.0.0.1", int(sys.argv[1])))
    print("bound to port", sock.getsockname()[1])
    print("longest:", len(sock.recv(4)), "bytes")  # a buffer of 4 bytes
    input()  # busy with something else, until you press Enter

    sock.setblocking(False)
    numbers = []
    try:
        while True:
            numbers.append(int(sock.recv(2048)[:4]))
    except BlockingIOError:  # no more there
        pass
    print("got", len(numbers), "from", numbers[0], "to", numbers[-1])
    sock.close()


def client():
    """Sends a datagram of 11 bytes; then a hundred, as fast as it can."""
    import socket
    import sys

    server = ("127.0.0.1", int(sys.argv[1]))
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.sendto(b"hello world", server)
    input()
    for number in range(100):
        sock.sendto(f"{number:04}".encode().ljust(500), server)
    print("sent 100, without an error")
    sock.close()


def in_twisted():
    """The same: Twisted's ports lose datagrams, too, for it is the kernel that does."""
    import socket
    import sys

    from twisted.internet import protocol, reactor, stdio

    class Counter(protocol.DatagramProtocol):
        numbers = []

        def datagramReceived(self, datagram, addr):
            if len(datagram) == 11:
                print("longest:", len(datagram), "bytes")  # it reads with room for 8192
                port.stopReading()
            else:
                self.numbers.append(int(datagram[:4]))

    class Keyboard(protocol.Protocol):
        def dataReceived(self, data):  # Enter
            port.startReading()
            reactor.callLater(0.2, self.tell)

        def tell(self):
            numbers = counter.numbers
            print("got", len(numbers), "from", numbers[0], "to", numbers[-1])
            reactor.stop()

    counter = Counter()
    port = reactor.listenUDP(int(sys.argv[1]), counter, interface="127.0.0.1")
    port.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    print("bound to port", port.getHost().port)
    stdio.StandardIO(Keyboard())
    reactor.run()


PROGRAMS = (server, client)
TWISTED = {"server": in_twisted}


def play(stage):
    """The long datagram, then the hundred, then Enter at the server."""
    server = stage.start("server", 0)
    client = stage.start("client", server.number())
    server.line()
    client.enter()
    client.finish()
    server.enter()
    server.line()
    server.finish()


def observe(seen: Seen) -> Iterator[Observation]:
    """What went, and what came."""
    server, client = seen.server, seen.client
    first, *rest = server.done("recv")
    whole = client.sizes("sendto")[0]
    cut = first.call.note == "cut"
    yield Observation(
        cut and first.bytes < whole,
        f"a datagram of {counted(whole)} came as {first.bytes}"
        + ("; the kernel says that it was cut (MSG_TRUNC)" if cut else ""),
    )
    second = rest[0].data[:4] if rest else b""
    yield Observation(
        second == b"0000",
        f"the next recv() returned the datagram {second.decode()!r}, not the rest of the first",
    )
    sent, errors = len(client.sizes("sendto")) - 1, client.errors_of("sendto")
    yield Observation(
        0 < len(rest) < sent and not errors,
        f"{counted(sent, 'datagram')} went, with {counted(len(errors), 'error')} at the sender;"
        f" {len(rest)} came: {sent - len(rest)} were lost",
    )
    numbers = [int(one.data[:4]) for one in rest]
    yield Observation(
        numbers == list(range(len(numbers))),
        f"those that came are {numbers[0]} to {numbers[-1]}"
        + (
            ": the buffer kept the first, and the later ones found it full"
            if numbers == list(range(len(numbers)))
            else ", with gaps"
        ),
    )


def compare(plain: Seen, twisted: Seen) -> Iterator[Observation]:
    """Whether datagrams were lost before Twisted's port, too."""
    said = twisted.server.output[-1]
    got = int(said.split()[1])
    yield Observation(got < 100, f"Twisted's server {said}")


def pictures(seen: Seen) -> Iterator[Picture]:
    """The first, and the last that found room."""
    yield both(
        seen.client.first(6), seen.server.first(7), "The first datagrams: one of them is cut"
    )


RESULT = (
    "A receive buffer that is full drops what comes, and tells neither end; the kernel counts it"
    " (netstat -su). What a recvfrom() has no room for is gone. So a receiver reads often, asks"
    " with room for the longest datagram, and a protocol on UDP numbers what must not be missed."
)
TRY = (
    Task(
        "Leave out SO_RCVBUF.",
        "How many are lost now? And of 10,000?",
    ),
    Task(
        "Send datagrams of 50 bytes instead of 500.",
        "How many fit now? Why not ten times as many?",
    ),
    Task(
        "Let the client sleep for 1 ms after each.",
        "Does that help a receiver that does not read?",
    ),
)
