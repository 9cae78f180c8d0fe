"""One event a line, for a pipe, a file or another program: no colour, nothing drawn again."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from twisted_lab.explaining import counted
from twisted_lab.live import amounts, values
from twisted_lab.live.address import Address
from twisted_lab.live.following import Arrived, Follower, Reached, Wait
from twisted_lab.live.http_reading import Reader
from twisted_lab.live.polling import path_of, stream_query


class Lines:
    """Prints the events of the bench at *address* to *out*, and on *err* when the bench is lost.

    *service* and *conversation*, if given, are the only ones; *as_json* prints each event as the
    bench told it. *wait* is as in :class:`Follower`.
    """

    def __init__(
        self,
        address: Address,
        tls: ssl.SSLContext | None,
        wait: Wait,
        out: TextIO,
        err: TextIO,
        *,
        service: str | None = None,
        conversation: str | None = None,
        as_json: bool = False,
    ) -> None:
        query = {} if service is None else {"service": service}
        if conversation is not None:
            query |= stream_query(conversation)
        self._address = address
        self._tls = tls
        self._follower = Follower(address, tls, query, wait)
        self._out = out
        self._err = err
        self._conversation = conversation
        self._as_json = as_json
        self._seq = -1
        self._lost = False

    def run(self) -> None:
        """Until the person stops it.

        Raises :class:`Lost` or :class:`Refused` when there is no bench to begin with, and OSError
        when nobody reads *out*.
        """
        for item in self._follower.items():
            if isinstance(item, Reached):
                self._reached(item)
            elif isinstance(item, Arrived):
                self._print(said for said in item.entries if self._is_new(said))
            elif not self._lost:
                self._lost = True
                self._say(f"{item.why}; trying again")

    def _reached(self, item: Reached) -> None:
        if self._lost:
            anew = ", and was started anew" if item.anew else ""
            self._say(f"{self._address} is there again{anew}")
        self._lost = False
        if item.anew:
            self._seq = -1
        if self._conversation is not None and self._seq < 0:
            self._print(self._story(self._conversation))

    def _story(self, conversation: str) -> list[Mapping[str, Any]]:
        """What the bench kept of *conversation*, with the stream open already."""
        reader = Reader(self._address, self._tls)
        try:
            said = reader.get(path_of(conversation))
        finally:
            reader.close()
        self._seq = values.optional(said, "seq") or 0
        return values.objects(said, "events")

    def _print(self, entries: Iterable[Mapping[str, Any]]) -> None:
        for said in entries:
            text = json.dumps(said) if self._as_json else line(values.entry(said))
            self._out.write(text + "\n")
        self._out.flush()

    def _is_new(self, said: Mapping[str, Any]) -> bool:
        """Whether it was not in the story already."""
        seq = values.optional(said, "seq")
        return seq is None or seq > self._seq

    def _say(self, sentence: str) -> None:
        self._err.write(f"socketlab watch: {sentence}\n")
        self._err.flush()


def line(entry: values.Entry) -> str:
    """*entry* on one line: time in seconds, service, id or peer, event, size, what happened."""
    size = "" if entry.bytes is None else counted(entry.bytes)
    text = (
        f"{amounts.moment(entry.ns):>14}  {entry.service:<9} {entry.conversation or entry.peer:<6} "
        f"{entry.event:<17} {size:>12}  {entry.told}"
    )
    return text.rstrip()
