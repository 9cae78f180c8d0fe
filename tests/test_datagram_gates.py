"""The gates before a datagram protocol, and what sources have left over."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.addresses import Host
from twisted_lab.datagram_gates import DatagramSettings, Gates, LeftOver
from twisted_lab.datagram_socket import DIRECT, PARSED, Way
from twisted_lab.source_rates import SOURCES_KEPT

FAR = "192.0.2.7"


class GatesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()

    def gates(self, settings: DatagramSettings, served: frozenset[int] = frozenset()) -> Gates:
        return Gates(settings, served, self.clock.seconds)

    def allowed(self, gates: Gates, source: str, tries: int) -> int:
        return sum(gates.refuse(source, 5000) is None for _ in range(tries))

    def test_ports_that_may_be_services(self) -> None:
        """Port 0 and the well-known ports are never answered; 1024 is a client's."""
        gates = self.gates(DatagramSettings())
        for port in (0, 7, 19, 1023):
            self.assertEqual(gates.refuse(FAR, port), "loop-port")
        self.assertIsNone(gates.refuse(FAR, 1024))

    def test_ports_of_this_process(self) -> None:
        """A port this process serves is refused, wherever the datagram says it comes from."""
        gates = self.gates(DatagramSettings(), frozenset({9000}))
        self.assertEqual(gates.refuse("127.0.0.1", 9000), "loop-served")
        self.assertEqual(gates.refuse(FAR, 9000), "loop-served")

    def test_sources_nobody_can_have(self) -> None:
        """Broadcast, multicast and unspecified sources are refused, also mapped into IPv6."""
        gates = self.gates(DatagramSettings())
        for source in (
            *("255.255.255.255", "224.0.0.1", "239.255.255.250", "0.0.0.0"),
            *("::", "ff02::1", "ff05::2%2", "::ffff:224.0.0.1", "::ffff:255.255.255.255"),
        ):
            self.assertEqual(gates.refuse(source, 5000), "bad-source", source)
        for source in (FAR, "2001:db8::1", "fe80::1%2", "::ffff:192.0.2.1"):
            self.assertIsNone(gates.refuse(source, 5000), source)

    def test_access_gate(self) -> None:
        """An access gate names its own reason."""

        def admit(host: Host) -> str | None:
            return "denied" if host.key == FAR else None

        gates = self.gates(DatagramSettings(admit=admit))
        self.assertEqual(gates.refuse(FAR, 5000), "denied")
        self.assertIsNone(gates.refuse("192.0.2.8", 5000))

    def test_rate_a_source(self) -> None:
        """One source gets its burst, then its rate; another one is not slowed by it."""
        gates = self.gates(DatagramSettings(rate=10))
        self.assertEqual(self.allowed(gates, FAR, 50), 10)
        self.assertEqual(gates.refuse(FAR, 5000), "rate")
        self.assertEqual(self.allowed(gates, "192.0.2.8", 5), 5)
        self.clock.advance(0.5)
        self.assertEqual(self.allowed(gates, FAR, 50), 5)

    def test_less_than_one_a_second(self) -> None:
        """A rate below one a second still lets the first datagram in."""
        gates = self.gates(DatagramSettings(rate=0.5))
        self.assertEqual(self.allowed(gates, FAR, 5), 1)
        self.clock.advance(2)
        self.assertEqual(self.allowed(gates, FAR, 5), 1)

    def test_ipv6_sources_are_customers(self) -> None:
        """All addresses of one /64 share one rate."""
        gates = self.gates(DatagramSettings(rate=2))
        self.assertEqual(self.allowed(gates, "2001:db8::1", 2), 2)
        self.assertEqual(self.allowed(gates, "2001:db8::2", 2), 0)
        self.assertEqual(self.allowed(gates, "2001:db8:0:1::2", 2), 2)

    def test_loopback_is_exempt_unless_told(self) -> None:
        """A bench on a laptop is not slowed, unless the rate was set for it."""
        settings = DatagramSettings(rate=2)
        self.assertEqual(self.allowed(self.gates(settings), "127.0.0.1", 9), 9)
        self.assertEqual(self.allowed(self.gates(settings), "::1", 9), 9)
        told = DatagramSettings(rate=2, rate_on_loopback=True)
        self.assertEqual(self.allowed(self.gates(told), "127.0.0.1", 9), 2)

    def test_no_rate(self) -> None:
        """Without a rate nobody is counted."""
        self.assertEqual(self.allowed(self.gates(DatagramSettings(rate=None)), FAR, 9999), 9999)

    def test_table_is_bounded(self) -> None:
        """A forger of sources pushes out the silent ones, never one that keeps sending."""
        gates = self.gates(DatagramSettings(rate=1))
        for number in range(SOURCES_KEPT + 100):
            gates.refuse(FAR, 5000)
            gates.refuse(f"10.0.{number >> 8}.{number & 255}", 5000)
        self.assertEqual(gates.refuse(FAR, 5000), "rate")
        self.assertIsNone(gates.refuse("10.0.0.0", 5000))


class LeftOverTests(SynchronousTestCase):
    PEER = (FAR, 5000)

    def test_a_stranger_gets_nothing(self) -> None:
        """Who sent nothing can be sent nothing."""
        self.assertIsNone(LeftOver(most=100).spend(self.PEER, 1))

    def test_what_was_saved_can_be_spent_once(self) -> None:
        """Two requests' rests add up, and are spent the way the last one came."""
        way = Way(asked="192.0.2.1")
        left_over = LeftOver(most=100)
        left_over.save(self.PEER, 30, DIRECT)
        left_over.save(self.PEER, 20, way)
        self.assertIsNone(left_over.spend(self.PEER, 51))
        self.assertIs(left_over.spend(self.PEER, 50), way)
        self.assertIsNone(left_over.spend(self.PEER, 1))

    def test_nobody_saves_without_end(self) -> None:
        """A source saves up one large datagram at most."""
        left_over = LeftOver(most=100)
        for _ in range(5):
            left_over.save(self.PEER, 70, DIRECT)
        self.assertIsNone(left_over.spend(self.PEER, 101))
        self.assertIs(left_over.spend(self.PEER, 100), DIRECT)

    def test_table_is_bounded(self) -> None:
        """The longest silent source is forgotten first."""
        left_over = LeftOver(most=100)
        for port in range(SOURCES_KEPT + 1):
            left_over.save((FAR, port), 10, DIRECT)
        self.assertIsNone(left_over.spend((FAR, 0), 1))
        self.assertIs(left_over.spend((FAR, 1), 1), DIRECT)

    def test_way_without_a_price(self) -> None:
        """Where amplification is allowed only the way is asked; a stranger's address is parsed."""
        left_over = LeftOver(most=100)
        left_over.save(self.PEER, 1, DIRECT)
        self.assertIs(left_over.way(self.PEER), DIRECT)
        self.assertIs(left_over.way((FAR, 5001)), PARSED)
