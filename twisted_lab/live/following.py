"""The event stream, taken up again wherever it breaks off."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any
from urllib.parse import urlencode

from twisted_lab.live import values
from twisted_lab.live.address import Address
from twisted_lab.live.frames import Frame, Frames, TooLong
from twisted_lab.live.http_reading import Lost, NotOurs, Reader, Refused, Stream, no_page

#: Seconds of silence after which a stream counts as lost: a bench says something every 10.
SILENCE = 25.0

#: Seconds before the first new attempt and between later ones: each twice the one before.
_FIRST, _LONGEST = 0.25, 5.0

#: Waits so many seconds; true when it shall stop instead.
Wait = Callable[[float], bool]


@dataclass(frozen=True, slots=True)
class Reached:
    """The stream is there. ``anew``: of another run than before, which has forgotten everything."""

    bench: values.Bench
    anew: bool


@dataclass(frozen=True, slots=True)
class Arrived:
    """Events, as the JSON objects they came as."""

    entries: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The bench is lost, and is tried again in ``again`` seconds."""

    why: str
    again: float


Item = Reached | Arrived | Interrupted


class Follower:
    """Follows ``/api/events`` with *query*; ``stop`` may be called from any thread."""

    def __init__(
        self,
        address: Address,
        tls: ssl.SSLContext | None,
        query: Mapping[str, str],
        wait: Wait,
    ) -> None:
        self._address = address
        self._tls = tls
        self._path = "/api/events" + (f"?{urlencode(query)}" if query else "")
        self._wait = wait
        self._last = ""
        self._bench: values.Bench | None = None
        self._lock = Lock()
        self._stream: Stream | None = None
        self._stopped = False

    def stop(self) -> None:
        """End the iteration, also while it waits for the bench."""
        with self._lock:
            self._stopped = True
            if self._stream is not None:
                self._stream.interrupt()

    def items(self, *, patient: bool = False) -> Iterator[Item]:
        """What happens, until :meth:`stop`.

        Unless *patient*, raises :class:`Lost` or :class:`Refused` when the first attempt fails.
        """
        pause = _FIRST
        while not self._stopped:
            try:
                yield self._open()
                pause = _FIRST
                yield from self._read()
            except (Lost, Refused) as problem:
                if self._bench is None and not patient:
                    raise
                why = str(problem)
            else:
                why = f"{self._address} ended the stream"
            finally:
                self._close()
            if self._stopped:
                return
            yield Interrupted(why, pause)
            if self._wait(pause):
                return
            pause = min(pause * 2, _LONGEST)

    def _open(self) -> Reached:
        bench = read_bench(self._address, self._tls)
        anew = self._bench is not None and self._bench.started != bench.started
        if anew:
            self._last = ""
        stream = Stream(self._address, self._tls, self._path, self._last, SILENCE)
        with self._lock:
            self._stream = stream
            if self._stopped:
                stream.interrupt()
        self._bench = bench
        return Reached(bench, anew)

    def _read(self) -> Iterator[Arrived]:
        assert self._stream is not None
        frames = Frames()
        try:
            while data := self._stream.read():
                entries, end = self._take(frames.feed(data))
                if entries:
                    yield Arrived(tuple(entries))
                if end is not None:
                    raise Lost(values.sentence(end, "why") or "the bench stops")
        except TooLong as problem:
            raise NotOurs(f"{self._address} sends {problem}") from None

    def _close(self) -> None:
        with self._lock:
            if self._stream is not None:
                self._stream.close()
                self._stream = None

    def _take(
        self, frames: list[Frame]
    ) -> tuple[list[Mapping[str, Any]], Mapping[str, Any] | None]:
        """What *frames* say, and the word that the bench stops, if it is among them."""
        entries: list[Mapping[str, Any]] = []
        for frame in frames:
            said = _object(self._address, frame.data)
            if frame.event == "end":
                return entries, said
            entries.append(said)
            self._last = frame.id or self._last
        return entries, None


def _object(address: Address, text: str) -> Mapping[str, Any]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise NotOurs(f"{address} sends an event that is no JSON object")
    return said


def read_bench(address: Address, tls: ssl.SSLContext | None) -> values.Bench:
    """Which run this is.

    Raises :class:`Lost` when nothing answers, :class:`NotOurs` when something else does, and
    :class:`Refused`.
    """
    reader = Reader(address, tls)
    try:
        said = reader.get("/api/bench")
    except Refused as refusal:
        if refusal.status == 404:
            raise no_page(address, str(refusal)) from None
        raise
    finally:
        reader.close()
    bench = values.bench(said)
    if not bench.version or not bench.started:
        raise no_page(address, "it does not say what runs there")
    return bench
