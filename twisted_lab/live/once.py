"""The tables, or one ladder, printed once."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from twisted_lab.live.address import Address
from twisted_lab.live.closeup import whole_ladder
from twisted_lab.live.following import read_bench
from twisted_lab.live.glyphs import Glyphs, glyphs_for
from twisted_lab.live.http_reading import Reader
from twisted_lab.live.opened import Opened
from twisted_lab.live.polling import SOME, Snapshot, read_documents, read_story, snapshot
from twisted_lab.live.tables import CONNECTIONS, SERVICES, TALKS, table


def print_once(
    address: Address,
    tls: ssl.SSLContext | None,
    console: Console,
    *,
    service: str | None = None,
    conversation: str | None = None,
    as_json: bool = False,
) -> None:
    """Print what the bench at *address* knows now; raises :class:`Lost` and :class:`Refused`."""
    read_bench(address, tls)
    reader = Reader(address, tls)
    glyphs = glyphs_for(console.encoding)
    try:
        if conversation is not None:
            opened = Opened(conversation).told(read_story(reader, conversation))
            _print(console, whole_ladder(opened, console.width, glyphs))
            return
        documents = read_documents(reader, service, SOME)
    finally:
        reader.close()
    if as_json:
        console.file.write(json.dumps(documents) + "\n")
    else:
        _print(console, _tables(snapshot(documents), console.width, glyphs, service))


def _tables(now: Snapshot, width: int, glyphs: Glyphs, service: str | None) -> Iterator[Text]:
    services = [each for each in now.services if service in (None, each.name)]
    yield from table(SERVICES, services, width, glyphs)
    yield Text("")
    yield from table(CONNECTIONS, now.connections, width, glyphs)
    if now.talks:
        yield Text("")
        yield from table(TALKS, now.talks, width, glyphs)
    if len(now.connections) < now.counts.matching:
        yield Text(f"the newest {len(now.connections):,} of {now.counts.matching:,} connections")


def _print(console: Console, lines: Iterator[Text]) -> None:
    for line in lines:
        line.rstrip()
        console.print(line)
