"""Conversations of which both ends were recorded: two programs', or a program's and the bench's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address

from twisted_lab.album import Chapter
from twisted_lab.diagram import End
from twisted_lab.events import Connected, DatagramSent, Event, Gap

#: Addresses that stand for all of a machine's.
_ANY = ("0.0.0.0", "::")


@dataclass(frozen=True, slots=True)
class Pair:
    """Both ends of one conversation, *left* being who connected, or sent first."""

    left: Chapter
    right: Chapter

    def ends(self) -> tuple[End, End]:
        """What is drawn of them, by the clock of whichever run began first."""
        epoch = min(self.left.start.epoch, self.right.start.epoch)
        names = self.left.service, self.right.service
        roles = ("client: ", "server: ") if names[0] == names[1] else ("", "")
        left, right = (
            End(_rebased(one, epoch), role + one.service, one.local)
            for one, role in zip((self.left, self.right), roles, strict=True)
        )
        return left, right


def _rebased(chapter: Chapter, epoch: int) -> list[Event]:
    by = chapter.start.epoch - epoch
    return [
        replace(one, ns=one.ns + by, until=one.until + by)
        if isinstance(one, Gap)
        else replace(one, ns=one.ns + by)
        for one in chapter.events
    ]


def pairs(chapters: Sequence[Chapter]) -> list[Pair]:
    """The pairs among *chapters*, in their order: each chapter is in one at most."""
    found: list[Pair] = []
    left = list(chapters)
    while left:
        one = left.pop(0)
        other = partner(one, left)
        if other is not None:
            left.remove(other)
            found.append(Pair(one, other) if _begins(one, other) else Pair(other, one))
    return found


def partner(chapter: Chapter, others: Iterable[Chapter]) -> Chapter | None:
    """The other end of *chapter*: the first whose addresses are its own the other way round."""
    return next((one for one in others if _are_ends(chapter, one)), None)


def _are_ends(one: Chapter, other: Chapter) -> bool:
    if not (one.peer and other.peer) or one is other or one.kind != other.kind:
        return False
    crossed = _same(one.local, other.peer) and _same(one.peer, other.local)
    return crossed and not (_over(one, other) or _over(other, one))


def _over(one: Chapter, other: Chapter) -> bool:
    """Whether *one* was closed before *other* began."""
    return one.reason != "" and one.last < other.first


def _same(one: str, other: str) -> bool:
    if one == other:
        return True
    (here, port), (there, its) = _parts(one), _parts(other)
    return port == its != "" and (here == there or here in _ANY or there in _ANY)


def _parts(address: str) -> tuple[str, str]:
    """Host and port; an IPv4 address in IPv6 is the IPv4 address (RFC 4291, 2.5.5.2)."""
    host, _, port = address.rpartition(":")
    try:
        ip = ip_address(host.strip("[]"))
    except ValueError:
        return host, port
    mapped = getattr(ip, "ipv4_mapped", None)
    return str(mapped or ip), port


def _begins(one: Chapter, other: Chapter) -> bool:
    """Whether *one* stands at the left."""
    first = one.events[0]
    if isinstance(first, Connected) or isinstance(other.events[0], Connected):
        return isinstance(first, Connected)
    sent = (
        any(isinstance(event, DatagramSent) for event in end.events[:1]) for end in (one, other)
    )
    return next(sent) or one.first <= other.first
