"""What a server is: how it is asked, and what it answers. A profile knows nothing of sockets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from twisted_lab.conformance.case import Trait


@dataclass(frozen=True, slots=True)
class Judgement:
    """Of what a server said: is it *whole*; and *wrong* says what in it cannot be, or is empty."""

    whole: bool
    wrong: str = ""


#: What was asked in all, how many requests that were, and what came back so far.
Judge = Callable[[bytes, int, bytes], Judgement]


@dataclass(frozen=True, slots=True)
class Profile:
    """*name* is what a person types; *summary* one line of help.

    ``request(size)`` makes one whole request of about *size* bytes (a fixed one ignores it), None
    where nothing is asked. ``judge(asked, count, seen)`` judges what the server said on a
    connection that *asked* so much in *count* requests. ``datagram`` judges the answer to one
    datagram likewise, with *count* 1; None where there is no datagram form. ``greeting`` judges
    what comes before the first request, where that is to be read first.
    """

    name: str
    summary: str
    traits: frozenset[Trait]
    judge: Judge
    request: Callable[[int], bytes] | None = None
    datagram: Judge | None = None
    greeting: Judge | None = None


_TEXT = bytes(range(32, 127))


def text(size: int) -> bytes:
    """*size* printing ASCII characters, of which each place is told from its neighbours'."""
    return (_TEXT * (size // len(_TEXT) + 1))[:size]


def octets(size: int) -> bytes:
    """*size* bytes, all values among them; the period is no power of two."""
    every = bytes(range(256)) + b"\0"
    return (every * (size // len(every) + 1))[:size]


def line(size: int) -> bytes:
    """One line of *size* bytes, CRLF included; it is no command of anybody."""
    return b"x" + text(max(0, size - 3)).replace(b"/", b"-") + b"\r\n"


def same(asked: bytes, count: int, seen: bytes) -> Judgement:
    """What was asked comes back."""
    if seen == asked:
        return Judgement(True)
    if asked.startswith(seen):
        return Judgement(False)
    at = next((n for n, (a, b) in enumerate(zip(asked, seen, strict=False)) if a != b), len(asked))
    if at == len(asked):
        return Judgement(True, f"{len(seen) - at} bytes came back that nobody had sent")
    return Judgement(False, f"byte {at} came back as 0x{seen[at]:02x}, not 0x{asked[at]:02x}")


def nothing(asked: bytes, count: int, seen: bytes) -> Judgement:
    """Not a byte may come."""
    return Judgement(True, f"it said {seen[:40]!r}" if seen else "")


def anything(asked: bytes, count: int, seen: bytes) -> Judgement:
    """Nothing is known of it."""
    return Judgement(True)


#: RFC 864: the 95 printing characters of ASCII; a line has 72 of them.
_RING = bytes(range(32, 127))
_WIDTH = 72


def ring(asked: bytes, count: int, seen: bytes) -> Judgement:
    """The lines of RFC 864, begun anywhere in the ring; the last may be cut."""
    start = _RING.find(seen[:1]) if seen else 0
    for number, line in enumerate(seen.split(b"\r\n")):
        at = (start + number) % len(_RING)
        expected = (_RING * 2)[at : at + _WIDTH]
        if not expected.startswith(line):
            said = f"line {number + 1} is {line[:20]!r} …, {len(line)} characters,"
            different = set(seen) & set(_RING)
            if len(seen) > _WIDTH * len(_RING) > len(different) * _WIDTH:
                said = f"{len(different)} of the {len(_RING)} printing characters come; {said}"
            return Judgement(True, f"{said} where RFC 864 recommends {expected[:20]!r} … and 72")
    return Judgement(True)


#: RFC 864: a datagram is answered by so many characters at most.
_MOST = 512


def characters(asked: bytes, count: int, seen: bytes) -> Judgement:
    """RFC 864, UDP: 0 to 512 characters, which are of ASCII."""
    if len(seen) > _MOST:
        return Judgement(True, f"{len(seen):,} characters, where RFC 864 says {_MOST} at most")
    return Judgement(True, "" if seen.isascii() else f"{seen[:40]!r} is not ASCII")


def line_of_date(asked: bytes, count: int, seen: bytes) -> Judgement:
    """RFC 867: one line of ASCII with the date and the time; which form is free."""
    return _line(seen, any(48 <= byte <= 57 for byte in seen), "no digit of a date is in it")


def quote(asked: bytes, count: int, seen: bytes) -> Judgement:
    """RFC 865: a short message, under 512 characters of ASCII."""
    return _line(seen, len(seen) <= 512, f"{len(seen)} characters are more than 512")


def _line(seen: bytes, well: bool, otherwise: str) -> Judgement:
    if not seen:
        return Judgement(False)
    if not seen.isascii():
        return Judgement(True, f"{seen[:40]!r} is not ASCII")
    return Judgement(True, "" if well else otherwise)


#: RFC 868: seconds from 1900 to 1970, and how far a clock may be off before it is said.
_EPOCH, _OFF = 2_208_988_800, 60


def seconds_since_1900(asked: bytes, count: int, seen: bytes) -> Judgement:
    """RFC 868: 32 bits, network byte order, seconds since 1900."""
    if len(seen) < 4:
        return Judgement(False)
    if len(seen) > 4:
        return Judgement(True, f"{len(seen)} bytes, not the 4 of RFC 868")
    said, now = int.from_bytes(seen, "big"), int(time.time())
    if abs(said - now) <= _OFF:
        return Judgement(True, "it counts from 1970, not from 1900")
    off = (said - now - _EPOCH + 2**31) % 2**32 - 2**31  # 32 bits are full in 2036
    return Judgement(True, f"it is {off:,} s off this machine's clock" if abs(off) > _OFF else "")


_GOES_ON = {Trait.REPLIES, Trait.TAKES_MORE, Trait.PIPELINES}
_SAYS = frozenset({Trait.SPEAKS_FIRST, Trait.CLOSES})


def _profiles() -> Iterator[Profile]:
    echoes = frozenset({*_GOES_ON, Trait.ECHOES})
    yield Profile("echo", "sends back what it gets (RFC 862)", echoes, same, octets, same)
    sink = frozenset({Trait.SINK})
    yield Profile("discard", "takes all, says nothing (RFC 863)", sink, nothing, octets)
    endless = frozenset({Trait.SPEAKS_FIRST, Trait.ENDLESS})
    yield Profile(
        "chargen", "sends characters without end (RFC 864)", endless, ring, None, characters
    )
    yield Profile("daytime", "says the date and closes (RFC 867)", _SAYS, line_of_date)
    yield Profile(
        "time", "says the time in 4 bytes and closes (RFC 868)", _SAYS, seconds_since_1900
    )
    yield Profile("qotd", "says a quotation and closes (RFC 865)", _SAYS, quote)
    lines = frozenset({*_GOES_ON, Trait.LINES})
    yield Profile("line", "sends back each line", lines, same, line, same)
    yield Profile("tls", "any TLS server, of which nothing else is known", frozenset(), anything)
    yield Profile("robust", "any stream server, of which nothing is known", frozenset(), anything)


#: The profiles that are built in, by name; others are made of files (``custom.py``).
PROFILES: dict[str, Profile] = {profile.name: profile for profile in _profiles()}
