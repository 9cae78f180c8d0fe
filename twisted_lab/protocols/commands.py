"""The slash commands of the line service: a client drives the server with them.

This file owns the table :data:`COMMANDS` and every bound in it. A command checks all its arguments
before it gives its first step.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC

from twisted_lab.addresses import show
from twisted_lab.protocols.arguments import Bounds, Missing, Wrong, alone, before_text, pair
from twisted_lab.protocols.framing import Line
from twisted_lab.protocols.steps import Act, Refusal, Request, Session, Step, Until, Wait

# 1 MiB: enough to fill every buffer on the way, and one write can hold it.
_BYTES = Bounds(0, 1024 * 1024)
_LINES = Bounds(0, 10_000)
_DRIPS = Bounds(1, 10_000, "bytes")
# Five minutes outlast the usual timeouts of clients and balancers (60 s), which is their point.
_SECONDS = Bounds(0, 300, "seconds")
_SIZES = Bounds(1, 65_536, "bytes each")
_MOST_CHUNKS = 100

#: Seconds between two writes that must not become one: far above a turn of the reactor, and only
#: five seconds for a hundred of them.
APART = 0.05

#: What /bytes and /drip send, over and over: printable, and a lost byte shows.
PATTERN = (string.digits + string.ascii_letters).encode()


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table. *example* is shown to who gave too few arguments."""

    name: str
    arguments: str
    summary: str
    run: Callable[[Request], Iterable[Step]]
    example: str = ""


def _help(request: Request) -> Iterable[Step]:
    rows = [(f"{c.name} {c.arguments}".rstrip(), c.summary) for c in COMMANDS.values()]
    width = max(len(usage) for usage, _ in rows)
    return (request.reply(*(f"{usage:{width}}  {does}".encode() for usage, does in rows)),)


def _who(request: Request) -> Iterable[Step]:
    transport = request.session.transport
    connection = getattr(transport, "id", "")
    named = f"connection {connection}, " if connection else ""
    local = show(transport.getHost())
    over = getattr(transport, "kind", "tcp")
    proxy = getattr(transport, "proxy", None)
    through = "" if proxy is None else f" through {proxy.balancer}"
    said = f"you are {show(transport.getPeer())}, {named}on {local} over {over}{through}"
    return (request.reply(said.encode()),)


def _time(request: Request) -> Iterable[Step]:
    moment = request.session.now().astimezone(UTC)
    said = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return (request.reply(said.encode()),)


def _count(request: Request) -> Iterable[Step]:
    session = request.session
    return (request.reply(f"lines {session.lines_in} bytes {session.bytes_in}".encode()),)


def _upper(request: Request) -> Iterable[Step]:
    try:
        text = request.arguments.decode().upper().encode()
    except UnicodeDecodeError:
        text = request.arguments.upper()  # the ASCII letters among the bytes
    return (request.reply(text),)


def _reverse(request: Request) -> Iterable[Step]:
    try:
        text = request.arguments.decode()[::-1].encode()
    except UnicodeDecodeError:
        text = request.arguments[::-1]
    return (request.reply(text),)


def _pattern(count: int) -> bytes:
    return (PATTERN * (count // len(PATTERN) + 1))[:count]


def _bytes(request: Request) -> Iterable[Step]:
    return (_pattern(_BYTES.whole(alone(request.arguments))) + request.ending,)


def _lines(request: Request) -> Iterable[Step]:
    count = _LINES.whole(alone(request.arguments))
    return (request.reply(*(b"line %d" % number for number in range(1, count + 1))),)


def _drip(request: Request) -> Iterable[Step]:
    count, seconds = pair(request.arguments)
    return _drops(_DRIPS.whole(count), _SECONDS.decimal(seconds), request.ending)


def _drops(count: int, seconds: float, ending: bytes) -> Iterator[Step]:
    yield Act.NO_DELAY
    for number, byte in enumerate(_pattern(count)):
        yield Until(seconds * number / count)
        yield bytes((byte,))
    yield Until(seconds)
    yield ending


def _delay(request: Request) -> Iterable[Step]:
    seconds, text = before_text(request.arguments)
    return Wait(_SECONDS.decimal(seconds)), request.reply(text)


def _chunks(request: Request) -> Iterable[Step]:
    sizes, text = before_text(request.arguments)
    words = sizes.split(b",")
    if len(words) > _MOST_CHUNKS:
        raise Wrong(f"takes at most {_MOST_CHUNKS} sizes, not", b"%d" % len(words))
    return _cut([_SIZES.whole(word) for word in words], request.reply(text))


def _cut(sizes: list[int], data: bytes) -> Iterator[Step]:
    # Nagle's algorithm (RFC 896) would hold a small write back until the one before it is
    # acknowledged, and send what piled up as one. The waits keep Twisted from doing the like: two
    # writes in one turn of the reactor become one send().
    yield Act.NO_DELAY
    yield Wait(APART)  # apart from what was answered before, too
    for size in (*sizes, len(data)):
        chunk, data = data[:size], data[size:]
        if chunk:
            yield chunk
            yield Wait(APART)


def _half_close(request: Request) -> Iterable[Step]:
    return (Act.HALF_CLOSE,)


def _close(request: Request) -> Iterable[Step]:
    return (Act.CLOSE,)


def _reset(request: Request) -> Iterable[Step]:
    # An abort throws away what Twisted has not yet given to the kernel: earlier answers go first.
    return Wait(APART), Act.RESET


def _silence(request: Request) -> Iterable[Step]:
    return (Wait(_SECONDS.decimal(alone(request.arguments))),)


def _quit(request: Request) -> Iterable[Step]:
    return request.reply(b"bye"), Act.QUIT


_DRIPPING = f"N bytes ({_DRIPS.low} to {_DRIPS.high}) one by one, spread over {_SECONDS}"
_CHUNKING = f"T in writes of SIZES ({_SIZES}, at most {_MOST_CHUNKS})"

#: Every command by its name, in the order /help lists them.
COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        Command("/help", "", "this list", _help),
        Command("/who", "", "both addresses, the connection, the transport", _who),
        Command("/time", "", "the server's time: ISO 8601, UTC", _time),
        Command("/count", "", "lines and bytes received so far, this line included", _count),
        Command("/upper", "T", "T in capitals", _upper),
        Command("/reverse", "T", "T backwards: by characters if it is UTF-8", _reverse),
        Command("/bytes", "N", f"N bytes ({_BYTES}), and the line's end", _bytes, "/bytes 100"),
        Command("/lines", "N", f"N numbered lines ({_LINES})", _lines, "/lines 3"),
        Command("/drip", "N SECONDS", _DRIPPING, _drip, "/drip 5 2"),
        Command("/delay", "SECONDS T", f"T, after {_SECONDS}", _delay, "/delay 2 hello"),
        Command("/chunks", "SIZES T", _CHUNKING, _chunks, "/chunks 3,1,5 hello world"),
        Command("/silence", "SECONDS", f"no answer for {_SECONDS}", _silence, "/silence 5"),
        Command("/half-close", "", "our FIN; we read on and drop what comes", _half_close),
        Command("/close", "", "close the connection", _close),
        Command("/reset", "", "abort the connection: RST", _reset),
        Command("/quit", "", "say bye and close the connection", _quit),
    )
}


def perform(line: Line, session: Session) -> Iterable[Step]:
    """The steps that answer *line*, one that begins with ``/``; a mistake is a :class:`Refusal`."""
    name, _, arguments = line.content.partition(b" ")
    command = COMMANDS.get(name.decode("latin-1"))
    if command is None:
        return (Refusal("unknown command", name, line.ending),)
    try:
        if not command.arguments and alone(arguments):
            raise Wrong("takes nothing after it, not", arguments)
        return command.run(Request(arguments, line.ending, session))
    except Missing:
        needs = f"{command.name} needs {command.arguments}, for example"
        return (Refusal(needs, command.example.encode(), line.ending),)
    except Wrong as wrong:
        return (Refusal(f"{command.name} {wrong.what}", wrong.value, line.ending),)
