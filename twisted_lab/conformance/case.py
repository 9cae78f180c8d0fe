"""One case of the catalogue: what is done, what is required, and who says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from twisted_lab.conformance.verdicts import Finding, Severity

if TYPE_CHECKING:
    from twisted_lab.conformance.probe import Probe

Run = Callable[["Probe"], Finding]


class Trait(StrEnum):
    """What a case needs of a profile, or of the server's transport; a server has several."""

    #: What the profile is like.
    REPLIES = "it answers requests"
    ECHOES = "it sends back every byte"
    LINES = "it answers line by line"
    SINK = "it takes everything and says nothing"
    SPEAKS_FIRST = "it speaks first"
    CLOSES = "it closes after its reply"
    ENDLESS = "it sends without end"
    TAKES_MORE = "it goes on after a reply"
    PIPELINES = "it takes the next request before it has answered the last"
    #: What carries it.
    STREAM = "a stream"
    TCP = "TCP"
    TLS = "TLS"
    DATAGRAMS = "datagrams"
    ANSWERS = "it answers datagrams"


class Place(StrEnum):
    """When a case runs, where that matters."""

    #: Where it is not answered, nothing else would be.
    FIRST = "first"
    ANYWHERE = "anywhere"
    #: Also when the server is gone by then.
    LAST = "last"


class Needs(StrEnum):
    """What not everybody has; without it the case is skipped, and says so."""

    TWO_AT_ONCE = "a server that serves two at once (N01)"
    GOES_ON = "a server that goes on after a reply (S06)"
    SPAWN = "--spawn: its own process"
    LOOPBACK = "a server on loopback"
    FORGE = "root, to forge a source, and a server on loopback"


@dataclass(frozen=True, slots=True)
class Case:
    """*id* is a letter and a number, *title* a few words; *does*, *requires* are sentences.

    *source* names the RFC and section, the man page or the CVE that asks for it. *bug* is the key
    in ``bugs.BUGS`` of what a failure usually is. It is for servers that have all of *of* and none
    of *unless*, and for all profiles unless some are named. *alone*: nothing else may run beside
    it, for it loads the server or measures time.
    """

    id: str
    title: str
    does: str
    requires: str
    source: str
    severity: Severity
    bug: str
    run: Run
    of: frozenset[Trait]
    unless: frozenset[Trait]
    profiles: frozenset[str]
    needs: tuple[Needs, ...] = ()
    alone: bool = False
    place: Place = Place.ANYWHERE

    def suits(self, profile: str, traits: frozenset[Trait]) -> bool:
        """Whether it is asked of a server with *traits*, checked as *profile*."""
        named = not self.profiles or profile in self.profiles
        return named and self.of <= traits and not self.unless & traits


#: Every case, by its id; the modules of ``cases/`` fill it when they are imported.
CATALOGUE: dict[str, Case] = {}


def case(
    id: str,
    title: str,
    *,
    does: str,
    requires: str,
    source: str,
    severity: Severity,
    bug: str,
    of: Iterable[Trait] = (Trait.STREAM,),
    unless: Iterable[Trait] = (),
    profiles: Iterable[str] = (),
    needs: Iterable[Needs] = (),
    alone: bool = False,
    place: Place = Place.ANYWHERE,
) -> Callable[[Run], Run]:
    """Add the function below to the catalogue; the fields are those of :class:`Case`."""

    def add(run: Run) -> Run:
        if id in CATALOGUE:
            raise ValueError(f"two cases {id}")
        CATALOGUE[id] = Case(
            id,
            title,
            does,
            requires,
            source,
            severity,
            bug,
            run,
            frozenset(of),
            frozenset(unless),
            frozenset(profiles),
            tuple(needs),
            alone,
            place,
        )
        return run

    return add
