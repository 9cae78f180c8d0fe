"""What a server is: how it is asked, and what it answers. A profile knows nothing of sockets."""

from __future__ import annotations

from collections.abc import Callable
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
    connection that *asked* so much in *count* requests, greeting included. ``datagram`` judges the
    answer to one datagram likewise, with *count* 1; None where there is no datagram form.
    """

    name: str
    summary: str
    traits: frozenset[Trait]
    judge: Judge
    request: Callable[[int], bytes] | None = None
    datagram: Judge | None = None
    port: int | None = None


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


_GOES_ON = {Trait.REPLIES, Trait.TAKES_MORE}

#: The profiles that are built in; ``custom`` is made of a file.
PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            "echo",
            "sends back what it gets (RFC 862)",
            frozenset({*_GOES_ON, Trait.ECHOES}),
            same,
            octets,
            same,
            7,
        ),
        Profile(
            "discard",
            "takes all, says nothing (RFC 863)",
            frozenset({Trait.SINK}),
            nothing,
            octets,
            nothing,
            9,
        ),
        Profile("line", "sends back each line", frozenset({*_GOES_ON, Trait.LINES}), same, line),
        Profile("robust", "any stream server, of which nothing is known", frozenset(), anything),
    )
}
