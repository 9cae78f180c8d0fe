"""UNIX sockets."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.explaining import counted
from twisted_lab.study.drawing import Picture, both
from twisted_lab.study.experiment import Observation, Task
from twisted_lab.study.seen import Seen

AIM = (
    "To see sockets that have a file's name for an address: what is the same as with TCP and UDP,"
    " and what only they can do."
)
ASKED = (
    "What is the address, and who may connect to it?",
    "How does a server know who its client is?",
    "Can a datagram get lost here?",
    "What can be sent besides bytes?",
)


def server():
    """Asks the kernel who the client is, and hands it an open file."""
    import os
    import socket
    import struct

    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind("stream.sock")
    os.chmod("stream.sock", 0o600)  # the owner alone may connect
    listener.listen()
    datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    datagrams.bind("datagram.sock")
    print("ready")

    conn, peer = listener.accept()
    data = conn.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)  # the kernel's word
    pid, uid, gid = struct.unpack("3i", data)
    print("the client is process", pid, "of user", uid)
    with open("note.txt") as file:
        socket.send_fds(conn, [b"a file"], [file.fileno()])  # SCM_RIGHTS
    conn.close()

    input()  # busy, until you press Enter: what comes meanwhile waits
    count = 0
    while datagrams.recv(1000) != b"last":
        count += 1
    print(count, "datagrams")
    listener.close()
    datagrams.close()


def client():
    """Gets an open file, and sends more datagrams than fit a buffer."""
    import os
    import socket

    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect("stream.sock")
    data, fds, flags, address = socket.recv_fds(sock, 100, 1)
    with open(fds[0]) as file:
        print("in the file it says:", file.read().strip())
    sock.close()
    print("I am process", os.getpid(), "of user", os.getuid())

    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.connect("datagram.sock")
    for _ in range(2000):
        sock.send(b"x" * 500)  # waits while the receiver has no room
    sock.send(b"last")
    sock.close()


def in_twisted():
    """The same: the transport can send descriptors; datagrams have a port of their own."""
    import socket
    import struct

    from twisted.internet import protocol, reactor, stdio

    class Hand(protocol.Protocol):
        def connectionMade(self):
            own = self.transport.getHandle()
            data = own.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            pid, uid, gid = struct.unpack("3i", data)
            print("the client is process", pid, "of user", uid)
            self.file = open("note.txt")
            self.transport.sendFileDescriptor(self.file.fileno())
            self.transport.write(b"a file")  # a descriptor goes with bytes, never alone
            self.transport.loseConnection()

        def connectionLost(self, reason):
            self.file.close()

    class Count(protocol.DatagramProtocol):
        count = 0

        def datagramReceived(self, datagram, addr):
            if datagram == b"last":
                print(self.count, "datagrams")
                reactor.stop()
            self.count += 1

    reactor.listenUNIX("stream.sock", protocol.Factory.forProtocol(Hand), mode=0o600)
    datagrams = reactor.listenUNIXDatagram("datagram.sock", Count())
    datagrams.stopReading()

    class Keyboard(protocol.Protocol):
        def dataReceived(self, data):  # Enter
            datagrams.startReading()

    stdio.StandardIO(Keyboard())
    print("ready")
    reactor.run()


PROGRAMS = (server, client)
TWISTED = {"server": in_twisted}
FILES = {"note.txt": b"written before the server started\n"}


def play(stage):
    """The names are there once the server is ready."""
    server = stage.start("server")
    server.line()
    client = stage.start("client")
    client.line()
    client.line()
    stage.pause(0.3)  # it sends until there is no room
    server.enter()
    client.finish()
    server.finish()


def observe(seen: Seen) -> Iterator[Observation]:
    """Addresses, credentials, a file, and datagrams."""
    server, client = seen.server, seen.client
    bound = [one.call.arguments for one in server.done("bind")]
    yield Observation(
        bound == ["stream.sock", "datagram.sock"], f"bind() gave the names {' and '.join(bound)}"
    )
    told, own = server.output[1], client.output[1]
    yield Observation(
        told.split()[-4:] == own.split()[-4:],
        f"the kernel told the server: {told}; the client says: {own}",
    )
    handed = client.output[0].partition(": ")[2]
    yield Observation(
        handed == "written before the server started",
        f"the client opened no file by name, and read {handed!r} from the one it was handed",
    )
    sends = client.done("send")
    waited = [one for one in sends if one.call.duration > 0.000_2]
    came = sum(size == 500 for size in server.sizes("recv"))
    yield Observation(
        came == len(sends) - 1 and len(waited) > 0,
        f"{counted(len(sends) - 1, 'datagram')} of 500 bytes went, and {came} came;"
        f" {counted(len(waited), 'send')} waited for room",
    )


def compare(plain: Seen, twisted: Seen) -> Iterator[Observation]:
    """What Twisted's server was told, and what it counted."""
    told, own = twisted.server.output[1], twisted.client.output[1]
    yield Observation(told.split()[-4:] == own.split()[-4:], f"Twisted's server was told: {told}")
    counts = plain.server.output[-1], twisted.server.output[-1]
    yield Observation(counts[0] == counts[1], f"Twisted's server counted {counts[1]}")
    yield Observation(
        twisted.client.output[0] == plain.client.output[0],
        f"with Twisted's server the client printed: {twisted.client.output[0]}",
    )


def pictures(seen: Seen) -> Iterator[Picture]:
    """The stream, and the first datagrams."""
    yield both(seen.client.first(9), seen.server.first(12), "The stream, and the first datagrams")


RESULT = (
    "A UNIX socket's address is a file, and the file's mode says who may connect. The kernel knows"
    " both ends, so it can vouch for a client (SO_PEERCRED), wait instead of losing a datagram, and"
    " hand an open file from one process to the other (SCM_RIGHTS). See unix(7)."
)
TRY = (
    Task(
        "Start the server twice.",
        "What does the second bind() say, though no server runs any more? Who removes the name?",
    ),
    Task(
        'Bind to "\\0study" instead of "stream.sock".',
        "Where is the file now?",
    ),
)
