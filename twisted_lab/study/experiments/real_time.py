"""Real time: a chat room, and a game's positions over stream and datagram."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from twisted_lab.diagram import Group, Lane, Mark, draw_lanes
from twisted_lab.study.drawing import Picture, picture
from twisted_lab.study.experiment import Observation, Task
from twisted_lab.study.seen import Ended, Seen

AIM = (
    "To see what real time asks of a socket: in a chat everybody gets every line, and soon; in a"
    " game a position that is old is worth nothing, even if none was lost."
)
ASKED = (
    "What must a chat room do with a line that one member sent?",
    "What does a stream do when the player is slower than the game?",
    "What does a datagram socket with a small buffer do then?",
    "Which of the two is the better for positions, and which for the chat?",
)


def room():
    """A chat room: each line goes to all members, with the name that came first."""
    import select
    import socket
    import sys

    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    print("listening on port", listener.getsockname()[1])
    names, rest, gone = {}, {}, 0
    while gone < 3:
        for sock in select.select([listener, *rest], [], [])[0]:
            if sock is listener:
                conn, peer = listener.accept()
                rest[conn] = b""
                continue
            data = sock.recv(1000)
            *lines, rest[sock] = (rest[sock] + data).split(b"\n")
            for line in lines:
                if sock not in names:
                    names[sock] = line
                    line = b"is here"
                for member in names:
                    member.sendall(names[sock] + b": " + line + b"\n")
            if not data:
                names.pop(sock, None)
                del rest[sock]
                sock.close()
                gone += 1
    listener.close()


def member():
    """Says its name, waits until three are here, says a line, and hears three."""
    import socket
    import sys

    name = sys.argv[2]
    sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    lines = sock.makefile("rb")
    sock.sendall(name.encode() + b"\n")
    for line in lines:
        print(line.decode().strip())
        if line == b"cleo: is here\n":  # she comes last
            break
    sock.sendall(b"hello from " + name.encode() + b"\n")
    for _ in range(3):
        print(lines.readline().decode().strip())
    sock.close()


def game():
    """Sends a hundred positions, 5 ms apart: first by a stream, then by datagrams."""
    import socket
    import struct
    import sys
    import time

    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(listener.getsockname())  # the same number; UDP's ports are others than TCP's
    print("listening on port", listener.getsockname()[1])

    conn, peer = listener.accept()
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for number in range(100):
        conn.sendall(struct.pack("!Iff", number, number / 10, 1.0))  # which, and x and y
        time.sleep(0.005)
    conn.close()

    data, player = sock.recvfrom(10)
    for number in range(100):
        sock.sendto(struct.pack("!Iff", number, number / 10, 1.0), player)
        time.sleep(0.005)
    for _ in range(5):  # the end, which may get lost as any datagram may
        sock.sendto(b"", player)
        time.sleep(0.1)
    sock.close()


def player():
    """Needs 10 ms for each position, so it is slower than the game."""
    import socket
    import struct
    import sys
    import time

    server = ("127.0.0.1", int(sys.argv[1]))
    stream = socket.create_connection(server)
    shown = []
    while position := stream.recv(12, socket.MSG_WAITALL):  # a whole one, or the end
        shown.append(struct.unpack("!Iff", position)[0])
        time.sleep(0.01)  # draws it
    print("stream:", "all" if shown == list(range(100)) else "not all", "of them, in order")
    stream.close()

    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)  # room for a few, no more
    sock.sendto(b"start", server)
    shown = []
    while position := sock.recv(100):
        shown.append(struct.unpack("!Iff", position)[0])
        time.sleep(0.01)
    print("datagrams:", "all" if len(shown) == 100 else "not all", "of them, in order")
    sock.close()


def room_in_twisted():
    """The same room: a LineReceiver for each member, and the factory knows them all."""
    import sys

    from twisted.internet import protocol, reactor
    from twisted.protocols import basic

    class Member(basic.LineOnlyReceiver):
        delimiter, name = b"\n", None

        def lineReceived(self, line):
            if self.name is None:
                self.name, line = line, b"is here"
                self.factory.members.append(self)
            for member in self.factory.members:
                member.sendLine(self.name + b": " + line)

        def connectionLost(self, reason):
            if self in self.factory.members:
                self.factory.members.remove(self)

    factory = protocol.Factory.forProtocol(Member)
    factory.members = []
    port = reactor.listenTCP(int(sys.argv[1]), factory, interface="127.0.0.1")
    print("listening on port", port.getHost().port)
    reactor.run()


PROGRAMS = (room, member, game, player)
TWISTED = {"room": room_in_twisted}

_NAMES = ("anna", "bert", "cleo")


def play(stage):
    """The chat, then the game."""
    room = stage.start("room", 0)
    port = room.number()
    members = []
    for name in _NAMES:
        members.append(stage.start("member", port, name, name=name))
        members[-1].line()  # it is here
    for one in members:
        one.finish()
    room.finish()
    game = stage.start("game", 0)
    stage.start("player", game.number()).finish()
    game.finish()


def observe(seen: Seen) -> Iterator[Observation]:
    """Who heard what and when; and how old the positions were."""
    heard = [seen[name].output[-3:] for name in _NAMES]
    yield Observation(
        heard[0] == heard[1] == heard[2] and len(heard[0]) == 3,
        "; ".join(
            f"{name} heard {', '.join(lines)}" for name, lines in zip(_NAMES, heard, strict=True)
        )
        if len(set(heard)) > 1
        else f"all three heard the same lines in the same order: {', '.join(heard[0])}",
    )
    sent = len(seen["room"].sizes("sendall"))
    came = sum(len(seen[name].done("sendall")) for name in _NAMES)
    yield Observation(sent > came, f"the members sent {came} lines, and the room sent {sent}")
    stream, datagrams = (_ages(seen, way) for way in (0, 1))
    yield Observation(
        len(stream) == 100 and len(datagrams) < 100,
        f"of 100 positions {len(stream)} came by the stream, and {len(datagrams)} by datagrams",
    )
    yield Observation(
        stream[-1][1] > 2 * datagrams[-1][1],
        f"the last position by the stream was {stream[-1][1]:.0f} ms old when it was drawn; the"
        f" last by datagrams, number {datagrams[-1][0]}, was {datagrams[-1][1]:.0f} ms old",
    )
    yield Observation(
        [number for number, _ in datagrams] == sorted(number for number, _ in datagrams),
        f"the datagrams that came were in order, the oldest {_oldest(datagrams):.0f} ms old; by the"
        f" stream the oldest was {_oldest(stream):.0f} ms old",
    )


def compare(plain: Seen, twisted: Seen) -> Iterator[Observation]:
    """Whether all heard the same in Twisted's room."""
    heard = [twisted[name].output[-3:] for name in _NAMES]
    yield Observation(
        heard[0] == heard[1] == heard[2] and len(heard[0]) == 3,
        f"in Twisted's room all three heard {', '.join(heard[0])}"
        if len(set(heard)) == 1
        else "in Twisted's room not all heard the same",
    )


def _ages(seen: Seen, way: int) -> list[tuple[int, float]]:
    """The number of each position that came, and its age in ms when the player had it."""
    sent = _by_number(_sent(seen, way))
    calls = [one for one in seen["player"].done("recv") if one.event == _CAME[way]]
    came = _by_number(calls)
    return [(number, (ns - sent[number]) / 1e6) for number, ns in came.items()]


def _oldest(came: list[tuple[int, float]]) -> float:
    return max(age for _, age in came)


#: The events of a position that came, by the way it took: stream, and datagrams.
_CAME = ("received", "datagram-received")


def _sent(seen: Seen, way: int) -> list[Any]:
    return seen["game"].done("sendto" if way else "sendall")


def _by_number(events: list[Any]) -> dict[int, int]:
    """When each position was sent, or had come."""
    return {struct.unpack("!Iff", one.data)[0]: one.ns for one in events if one.bytes == 12}


def pictures(seen: Seen) -> Iterator[Picture]:
    """When positions were sent, and when they were drawn."""
    groups = [Group("the chat: lines sent and heard", [_talk(seen[name]) for name in _NAMES])]
    for way, name in enumerate(("positions by the stream", "positions by datagrams")):
        sent, drawn = _by_number(_sent(seen, way)), _ages(seen, way)
        lost = set(sent) - {number for number, _ in drawn}
        groups.append(
            Group(
                name,
                [
                    Lane(
                        "sent",
                        marks=[
                            Mark(ns, "lost" if number in lost else "asks", f"position {number}")
                            for number, ns in sent.items()
                        ],
                    ),
                    Lane(
                        "drawn",
                        marks=[
                            Mark(
                                round(sent[number] + age * 1e6),
                                "answers",
                                f"position {number}, {age:.0f} ms old",
                            )
                            for number, age in drawn
                        ],
                    ),
                ],
            )
        )
    yield picture(
        "A mark for each line and each position; those that never came are red",
        lambda width: draw_lanes(groups, width=width, standalone=False),
    )


def _talk(member: Ended) -> Lane:
    said = [Mark(one.ns, "asks", "says a line") for one in member.done("sendall")]
    heard = [Mark(one.ns, "answers", "hears") for one in member.events if one.event == "received"]
    return Lane(member.name, marks=said + heard)


RESULT = (
    "A chat is a stream for each member: every line arrives, in order, for all. For positions the"
    " stream is too good: it keeps what is old, and the player falls behind by all that it has not"
    " drawn yet. Datagrams lose what there is no room for, so what is drawn stays new."
)
TRY = (
    Task(
        "Leave out SO_RCVBUF in the player.",
        "How old is the last datagram's position now? Which buffer made it so?",
    ),
    Task(
        "Let the player read all that is there, and draw only the last.",
        "How old are the positions then, by the stream and by datagrams?",
    ),
    Task(
        "Let one member of the room stop reading, and another talk without end.",
        "Who waits, and why does nobody hear anything more?",
    ),
)
