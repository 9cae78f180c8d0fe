"""What writes events to files: a recording of them, and a capture of packets made of them."""

from __future__ import annotations

from typing import Any

from twisted_lab import __version__, pcapng
from twisted_lab.dating import began
from twisted_lab.events import Event
from twisted_lab.packets import Packets
from twisted_lab.publishing import Publisher
from twisted_lab.recording import JsonLines, Recorder


class PcapngForm:
    """Events as blocks; a :class:`twisted_lab.interfaces.Form`. Each service is an interface.

    *started* is when the events' ns was 0, in nanoseconds since 1970.
    """

    def __init__(self, started: int) -> None:
        self._packets = Packets(started)
        self._interfaces: dict[str, int] = {}

    def begin(self) -> bytes:
        """A new section, with the interfaces that are known."""
        named = map(pcapng.interface, self._interfaces)
        return b"".join((pcapng.section(f"socketlab {__version__}"), *named))

    def of(self, event: Event) -> bytes:
        """The packets of *event*; before the first of a service, its interface."""
        return b"".join(self._block(event.service, one) for one in self._packets.of(event))

    def _block(self, service: str, one: pcapng.Packet) -> bytes:
        described = b""
        if service not in self._interfaces:
            self._interfaces[service] = len(self._interfaces)
            described = pcapng.interface(service)
        return described + pcapng.packet(self._interfaces[service], one)

    def whole(self, data: bytes, length: int) -> int:
        """How many of the first *length* bytes of *data* are whole blocks."""
        return pcapng.whole(data, length)


def recorders(
    reactor: Any, publisher: Publisher, record: str | None, pcapng: str | None
) -> dict[str, Recorder]:
    """What writes all that *publisher* publishes to the files *record* and *pcapng*, by option.

    Raises :class:`ConfigurationError` for a file that cannot be written.
    """
    found = {}
    if record is not None:
        found["record"] = Recorder(record, reactor, publisher, JsonLines(publisher))
        publisher.add(found["record"])
    if pcapng is not None:
        form = PcapngForm(began(publisher.now))
        found["pcapng"] = Recorder(pcapng, reactor, publisher, form)
        publisher.add(found["pcapng"], detailed=False)
    return found
