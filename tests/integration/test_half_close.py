"""Everything that came before a FIN is answered: every service, road, size, with policies or none.

``python -m scripts.half_close`` does the same many times over, with stock Twisted beside it.
"""

from __future__ import annotations

import ssl
from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.child import Child
from tests.integration.half_close import (
    ALL_POLICIES,
    NO_POLICY,
    Exchange,
    exchange,
    payload,
    run,
)
from tests.integration.recorded import RECORDING, ends
from tests.integration.roads import (
    FOUR_ROADS,
    ROADS,
    SecureClient,
    client_context,
    open_socket,
)

#: Bytes, and how many connections with so many at once.
SIZES = {0: 10, 1: 10, 6: 20, 2**16: 50, 2**20: 3, 2**24: 3}


class HalfCloseTests(SynchronousTestCase):
    """The reply is the request, then comes a clean end, and the connection is lost once."""

    def _check_every_size(self, child: Child, service: str) -> None:
        with child:
            faults = [
                f"{road} {size} bytes: {dict(found)}"
                for road in ROADS
                for size, times in SIZES.items()
                if set(found := exchange(child, service, road, size, times)) != {""}
            ]
            self.assertEqual(child.stop(), 0)
            seen = Counter(
                (end["reason"], end["bytes_in"], end["bytes_out"]) for end in ends(child)
            )
        self.assertEqual(faults, [])
        expected = {("peer-fin", size, size): len(ROADS) * n for size, n in SIZES.items()}
        self.assertEqual(seen, expected)

    def test_echo_without_policies(self) -> None:
        """Echo answers all that came before the FIN, with no policy installed at all."""
        child = Child("echo", *FOUR_ROADS, *RECORDING, started_by=NO_POLICY)
        self._check_every_size(child, "echo")

    def test_echo_with_all_policies(self) -> None:
        """Echo answers all that came before the FIN, through every policy there is."""
        self._check_every_size(Child("echo", *FOUR_ROADS, *RECORDING, *ALL_POLICIES), "echo")

    def test_line_without_policies(self) -> None:
        """Line answers every line that came before the FIN, with no policy installed at all."""
        child = Child("line", *FOUR_ROADS, *RECORDING, started_by=NO_POLICY)
        self._check_every_size(child, "line")

    def test_line_with_all_policies(self) -> None:
        """Line answers every line that came before the FIN, through every policy there is."""
        self._check_every_size(Child("line", *FOUR_ROADS, *RECORDING, *ALL_POLICIES), "line")


class TlsHalfCloseTests(SynchronousTestCase):
    """What is TLS's own about a half-close."""

    def _faults(self, version: ssl.TLSVersion, size: int, *, in_one: bool) -> Counter[str]:
        with Child("echo", "--listen", "tls:0") as child:
            context = client_context(version)
            exchanges = []
            for _ in range(10):
                client = SecureClient(open_socket(child, "echo", "tls"), context)
                self.addCleanup(client.close)
                last_flight = client.shake_hands()
                if not in_one:
                    client.socket.sendall(last_flight)
                    last_flight = b""
                exchanges.append(Exchange(client, payload("echo", size), last_flight))
            run(exchanges)
            return Counter(one.fault() for one in exchanges)

    def test_everything_in_one_segment(self) -> None:
        """The end of the handshake, data, close_notify and FIN may all arrive at once."""
        for size in (0, 6, 2**20):
            faults = self._faults(ssl.TLSVersion.TLSv1_3, size, in_one=True)
            self.assertEqual(faults, {"": 10}, f"{size} bytes")

    def test_tls_1_2(self) -> None:
        """TLS 1.2 may discard what follows a close_notify; a client that does not gets it all."""
        for size in (0, 6, 2**20):
            faults = self._faults(ssl.TLSVersion.TLSv1_2, size, in_one=False)
            self.assertEqual(faults, {"": 10}, f"{size} bytes")
