"""Where a service listens, in words, and what says that it cannot."""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Factory
from twisted.internet.task import Clock

from tests.streams import StreamCase
from twisted_lab.errors import ConfigurationError
from twisted_lab.testing import Spy
from twisted_lab.transports.endpoints import UnixListen, parse_listen
from twisted_lab.transports.keyring import Keyring
from twisted_lab.transports.listeners import open_stream, where
from twisted_lab.transports.proxy_waiting import Waiting


class WhereTests(StreamCase):
    def test_each(self) -> None:
        """Each kind is said by its address; one whose address is not known, as it was written."""
        for text, said in (
            ("tcp:[::1]:7", "[::1]:7"),
            ("udp:127.0.0.1:7", "127.0.0.1:7"),
            ("unix:/tmp/\x1b", "unix:/tmp/\\x1b"),
            ("systemd:web", "systemd:web"),
        ):
            self.assertEqual([where(one) for one in parse_listen(text)], [said])


class OpenTests(StreamCase):
    def test_no_unix_sockets(self) -> None:
        """Where there are no UNIX sockets, as on Windows, that is the sentence."""
        self.behind_layer(Factory.forProtocol(Spy))
        without: Any = Clock()
        with self.assertRaisesRegex(ConfigurationError, "no UNIX sockets: unix:/tmp/s$"):
            open_stream(
                without, UnixListen("/tmp/s"), self.layer, Keyring(), 5, Waiting(self.clock, 1.0)
            )
