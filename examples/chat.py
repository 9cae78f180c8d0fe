"""A chat room: everybody hears everybody, and who came and who left.

``twistd -n socketlab run examples.chat:Room --port 9000``, then ``telnet 127.0.0.1 9000`` twice.
Everything is bounded: members, names, lines, and what is kept for a member who does not read.
"""

from twisted.internet.protocol import Factory, connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure

MEMBERS = 50
NAME_LENGTH = 20


class Ear:
    """Whether a member listens: the transport calls it when its buffer is full, and empty again."""

    def __init__(self, member: "Member") -> None:
        self.member = member
        self.missed = 0
        self.open = True

    def pauseProducing(self) -> None:
        self.open = False

    def resumeProducing(self) -> None:
        self.open = True
        missed, self.missed = self.missed, 0
        if missed:
            self.member.say(f"* you missed {missed} lines")

    def stopProducing(self) -> None:
        self.open = False


class Member(LineReceiver):
    delimiter = b"\n"
    MAX_LENGTH = 1000
    name = ""

    def connectionMade(self) -> None:
        self.ear = Ear(self)
        self.transport.registerProducer(self.ear, True)
        self.say("* who are you?")

    def lineReceived(self, line: bytes) -> None:
        # What comes from one person goes to the terminals of all others.
        text = "".join(c for c in line.decode(errors="replace") if c.isprintable()).strip()
        if self.name:
            self.factory.tell(f"{self.name}: {text}")
        elif (why := self.factory.enter(self, text[:NAME_LENGTH])) is not None:
            self.say(f"* {why}")

    def lineLengthExceeded(self, line: bytes) -> None:
        self.say("* that line is too long")
        self.transport.unregisterProducer()  # a close waits for a producer to be done
        self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.factory.leave(self)

    def say(self, text: str) -> None:
        if self.ear.open:
            self.sendLine(text.encode())
        else:
            self.ear.missed += 1


class Room(Factory):
    """A chat room."""

    protocol = Member

    def __init__(self) -> None:
        self.members: dict[str, Member] = {}

    def enter(self, member: Member, name: str) -> str | None:
        """Let *member* in as *name*, or say why not."""
        if not name or name in self.members:
            return "another name, please"
        if len(self.members) >= MEMBERS:
            return "the room is full"
        member.name = name
        self.members[name] = member
        self.tell(f"* {name} came; here are {', '.join(self.members)}")
        return None

    def leave(self, member: Member) -> None:
        if self.members.pop(member.name, None) is not None:
            self.tell(f"* {member.name} left")

    def tell(self, text: str) -> None:
        for member in list(self.members.values()):
            member.say(text)
