"""The one road events travel: from the mechanism, through a publisher, to observers.

Rule 1: an event nobody observes is not built, only counted: :meth:`Publisher.offer`; what comes
once a message is not even offered unless :attr:`Publisher.traffic`, or for the first of each
connection :attr:`Publisher.sample`. Rule 2: an observer that raises is removed and that is said
once; it never breaks a connection.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from twisted_lab.errors import summary
from twisted_lab.events import CATALOGUE, TRAFFIC, Event, Note
from twisted_lab.interfaces import Observer

#: More events than there will ever be of one conversation.
_ALL = 2**60


def sampled(left: int, followed: bool) -> int:
    """*left* is how many events of a conversation are still for who takes samples; the same
    once all its events are (*followed*), or only what is left of its first ones."""
    rest = left - _ALL if left > _ALL // 2 else left
    return rest + _ALL if followed else max(rest, 0)


class Publisher:
    """Hands every event to the observers that asked for its kind.

    *monotonic_ns* is a clock in nanoseconds that never steps back; *capture* is how many bytes of
    each message :class:`~twisted_lab.events.Received` and its like carry.
    """

    def __init__(
        self, monotonic_ns: Callable[[], int] = time.monotonic_ns, capture: int = 256
    ) -> None:
        self._monotonic_ns = monotonic_ns
        self._started = monotonic_ns()
        self._observers: dict[Observer, frozenset[str]] = {}
        self._samples: dict[Observer, int] = {}
        self._by_kind: dict[str, tuple[Observer, ...]] = dict.fromkeys(CATALOGUE, ())
        self._by_kind_sampled = dict(self._by_kind)
        self.capture = capture
        #: How many events of each connection, and of each datagram peer, somebody wants of every
        #: kind, beginning with its first.
        self.sample = 0
        #: Somebody observes something.
        self.active = False
        #: Somebody observes what comes once a message.
        self.traffic = False
        #: Somebody wants the kernel's view (TCP_INFO) in what is published.
        self.detailed = False
        #: The kinds somebody observes.
        self.wanted: frozenset[str] = frozenset()
        #: Called whenever any of the above may have changed.
        self.changed: list[Callable[[], object]] = []
        #: How many events of each kind there were since the start, built or not. What comes once
        #: a message is counted only while somebody observes it.
        self.tally: dict[str, int] = dict.fromkeys(CATALOGUE, 0)
        self._muted: set[tuple[Observer, str]] = set()
        self._plain: set[Observer] = set()

    def now(self) -> int:
        """Nanoseconds since this publisher was made: the ``ns`` of an event."""
        return self._monotonic_ns() - self._started

    def add(
        self,
        observer: Observer,
        kinds: Iterable[str] = CATALOGUE,
        *,
        detailed: bool = True,
        sample: int | None = None,
    ) -> None:
        """Call ``observer(event)`` for every event whose name is one of *kinds*.

        Not *detailed*: it has no use for the kernel's view, which costs system calls. With
        *sample* also for the first *sample* events of each connection and each datagram peer,
        whatever their kind, and for all events of those that are followed.
        """
        self._observers[observer] = frozenset(kinds)
        self._samples.pop(observer, None)
        if sample is not None:
            self._samples[observer] = sample
        if not detailed:
            self._plain.add(observer)
        self._settle()

    def remove(self, observer: Observer) -> None:
        """Forget *observer*; one that is not there is no error."""
        self._observers.pop(observer, None)
        self._plain.discard(observer)
        self._samples.pop(observer, None)
        self._muted = {(muted, kind) for muted, kind in self._muted if muted != observer}
        self._settle()

    def _settle(self) -> None:
        for kind in CATALOGUE:
            self._by_kind[kind] = tuple(
                observer
                for observer, kinds in self._observers.items()
                if kind in kinds and (observer, kind) not in self._muted
            )
            self._by_kind_sampled[kind] = tuple(
                dict.fromkeys((*self._by_kind[kind], *self._samples))
            )
        self.sample = max(self._samples.values(), default=0)
        self.active = bool(self._observers)
        self.traffic = any(self._by_kind[kind] for kind in TRAFFIC)
        self.wanted = frozenset(kind for kind, who in self._by_kind.items() if who)
        self.detailed = any(observer not in self._plain for observer in self._observers)
        for changed in self.changed:
            changed()

    def offer(self, kind: Callable[..., Event], service: str, *fields: Any, **more: Any) -> None:
        """Publish an event of class *kind*, built only if somebody wants it, and count it."""
        name: str = kind.event  # type: ignore[attr-defined]
        if name in self.wanted:
            self.publish(kind(self.now(), service, *fields, **more))
        else:
            self.tally[name] += more.get("count", 1)

    def publish(self, event: Event, sampled: bool = False) -> None:
        """Give *event* to everyone who asked for its kind; *sampled*: and to who takes samples."""
        name = event.event
        self.tally[name] += getattr(event, "count", 1)
        for observer in (self._by_kind_sampled if sampled else self._by_kind)[name]:
            try:
                observer(event)
            except Exception as error:
                self._drop(observer, error, event.service)

    def mute(self, observer: Observer, kind: str) -> None:
        """Spare *observer* the events of *kind*, which are then not built for it, only counted."""
        self._muted.add((observer, kind))
        self._settle()

    def unmute(self, observer: Observer, kind: str) -> None:
        """The end of :meth:`mute`."""
        self._muted.discard((observer, kind))
        self._settle()

    def _drop(self, observer: Observer, error: Exception, service: str) -> None:
        if observer in self._observers:
            self.remove(observer)
            name = getattr(observer, "__qualname__", type(observer).__qualname__)
            said = f"observer {name} failed and was removed: {summary(error)}"
            self.offer(Note, service, "observer", said)

    def captured(self, data: bytes) -> bytes | None:
        """As much of *data* as an event may carry; None when nothing is captured."""
        return bytes(data[: self.capture]) if self.capture else None
