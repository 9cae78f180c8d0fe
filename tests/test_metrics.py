"""The metrics: what is counted, and that others can read it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.events import (
    CATALOGUE,
    Accepted,
    Closed,
    CloseReason,
    Event,
    Listening,
    Received,
    Refused,
    Tls,
)
from twisted_lab.loop_lag import LoopLag
from twisted_lab.metrics import KINDS, Metrics, ServiceView
from twisted_lab.publishing import Publisher
from twisted_lab.scrape import DURATION_BOUNDS

OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"

#: What a peer may have as its address: none of it may be in an answer.
PEER = "203.0.113.77:54321"


def closed(
    reason: CloseReason = CloseReason.PEER_FIN,
    bytes_in: int = 3,
    bytes_out: int = 5,
    duration: float = 0.1,
) -> Closed:
    return Closed(2, "echo", "c1", PEER, "x:7", reason, bytes_in, bytes_out, duration, "words")


class MetricsTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.lag = LoopLag(self.clock)
        self.views = [ServiceView("echo", datagrams=True)]
        self.lost = {"recording": 0}
        self.metrics = Metrics(
            lambda: self.views,
            self.lag,
            {"recording": lambda: self.lost["recording"]},
            {"version": "0.1.0", "reactor": "epoll"},
        )

    def tell(self, *events: Event) -> None:
        for event in events:
            self.metrics(event)

    def samples(self, accept: str = OPENMETRICS) -> dict[tuple[Any, ...], float]:
        """Each sample by its name and its labels' values, in the order of the labels' names."""
        content_type, body = self.metrics.exposition(accept)
        read = read_openmetrics if content_type.startswith("application/") else read_text
        return {
            (
                sample.name.removeprefix("socketlab_"),
                *dict(sorted(sample.labels.items())).values(),
            ): (sample.value)
            for family in read(body.decode())
            for sample in family.samples
        }

    def assert_says(self, *key: str, value: float) -> None:
        for accept in (OPENMETRICS, ""):
            self.assertEqual(self.samples(accept).get(key), value)


class EventTests(MetricsTestCase):
    def test_kinds(self) -> None:
        """It asks for events that there are, and for none that come once a message."""
        publisher = Publisher()
        publisher.add(self.metrics, KINDS, detailed=False)
        self.assertLessEqual(set(KINDS), CATALOGUE.keys())
        self.assertEqual((publisher.traffic, publisher.detailed), (False, False))

    def test_accepted(self) -> None:
        """Each accepted connection counts."""
        self.assert_says("connections_accepted_total", "echo", value=0)
        accepted = Accepted(1, "echo", "c1", PEER, "x:7", "tcp")
        self.tell(accepted, accepted)
        self.assert_says("connections_accepted_total", "echo", value=2)

    def test_refused(self) -> None:
        """Refusals count by the gate, and one event may stand for many."""
        self.tell(Refused(1, "echo", PEER, "x:7", "access", count=3))
        self.tell(Refused(1, "echo", PEER, "x:7", "access"))
        self.assert_says("connections_refused_total", "access", "echo", value=4)

    def test_closed(self) -> None:
        """Ends count by reason; a reason that never was is there with a zero."""
        self.tell(closed(), closed(), closed(CloseReason.IDLE))
        self.assert_says("connections_closed_total", "peer-fin", "echo", value=2)
        self.assert_says("connections_closed_total", "idle", "echo", value=1)
        for reason in set(CloseReason) - {CloseReason.PEER_FIN, CloseReason.IDLE}:
            self.assert_says("connections_closed_total", reason.value, "echo", value=0)

    def test_durations(self) -> None:
        """Durations fall into their buckets, in seconds; the lifetime's end is above them all."""
        self.tell(closed(duration=0.0005), closed(duration=60.0), closed(duration=3600.1))
        name = "connection_duration_seconds"
        for bound in DURATION_BOUNDS:
            expected = 1 if bound < 60 else 2
            self.assert_says(f"{name}_bucket", str(bound), "echo", value=expected)
        self.assert_says(f"{name}_bucket", "+Inf", "echo", value=3)
        self.assert_says(f"{name}_count", "echo", value=3)
        self.assertAlmostEqual(self.samples()[f"{name}_sum", "echo"], 3660.1005)

    def test_tls(self) -> None:
        """Handshakes count by how they ended."""
        self.tell(Tls(1, "echo", "c1", "TLSv1.3"), Tls(1, "echo", "c2", error="no shared cipher"))
        self.tell(Tls(1, "echo", "c3", error="handshake"))
        self.assert_says("tls_handshakes_total", "done", "echo", value=1)
        self.assert_says("tls_handshakes_total", "failed", "echo", value=2)

    def test_other_events(self) -> None:
        """An event that is none of these changes nothing."""
        before = self.samples()
        self.tell(Listening(1, "echo", "x:7", "tcp"), Received(1, "echo", "c1", 5))
        self.assertEqual(self.samples(), before)


class ScrapeTests(MetricsTestCase):
    def test_open(self) -> None:
        """Connections are counted as they are at the scrape, those that end apart."""
        self.views = [ServiceView("echo", open=3, ending=1)]
        self.assert_says("connections", "echo", "open", value=3)
        self.assert_says("connections", "echo", "ending", value=1)

    def test_bytes_never_go_down(self) -> None:
        """The bytes of open connections count, and stay counted when these are closed."""
        self.tell(closed(bytes_in=10, bytes_out=20))
        self.views = [ServiceView("echo", open=1, bytes_in=100, bytes_out=200)]
        self.assert_says("stream_bytes_total", "in", "echo", value=110)
        self.assert_says("stream_bytes_total", "out", "echo", value=220)
        self.views = [ServiceView("echo")]
        self.tell(closed(bytes_in=100, bytes_out=200))
        self.assert_says("stream_bytes_total", "in", "echo", value=110)
        self.assert_says("stream_bytes_total", "out", "echo", value=220)

    def test_datagrams(self) -> None:
        """Datagrams, their bytes and the drops are as the ports have them."""
        self.views = [
            ServiceView("echo", True, True, False, 0, 0, 0, 0, 4, 3, 400, 300, {"kernel": 7})
        ]
        for name, value_in, value_out in (("datagrams", 4, 3), ("datagram_bytes", 400, 300)):
            self.assert_says(f"{name}_total", "in", "echo", value=value_in)
            self.assert_says(f"{name}_total", "out", "echo", value=value_out)
        self.assert_says("datagrams_dropped_total", "kernel", "echo", value=7)

    def test_forms(self) -> None:
        """A service has no metrics of a form it does not serve."""
        self.views = [
            ServiceView("line"),
            ServiceView("datagram", streams=False, datagrams=True),
        ]
        of_streams = {name for name, *labels in self.samples() if "line" in labels}
        of_datagrams = {name for name, *labels in self.samples() if "datagram" in labels}
        self.assertEqual(of_streams & of_datagrams, {"service_suspended"})
        self.assertIn("connections", of_streams)
        self.assertIn("datagrams_total", of_datagrams)

    def test_suspended(self) -> None:
        """A suspended service says so."""
        self.assert_says("service_suspended", "echo", value=0)
        self.views = [ServiceView("echo", suspended=True)]
        self.assert_says("service_suspended", "echo", value=1)

    def test_lag(self) -> None:
        """A reactor held for two seconds shows."""
        self.lag.start()
        self.clock.advance(2.2)
        self.lag.stop()
        self.assert_says("event_loop_lag_seconds_bucket", "1.0", value=0)
        self.assert_says("event_loop_lag_seconds_bucket", "2.5", value=1)
        self.assertAlmostEqual(self.samples()["event_loop_lag_seconds_sum",], 1.7)

    def test_lost(self) -> None:
        """What an observer lost is asked of it at the scrape."""
        self.assert_says("observer_lost_events_total", "recording", value=0)
        self.lost["recording"] = 12
        self.assert_says("observer_lost_events_total", "recording", value=12)

    def test_build(self) -> None:
        """What runs is said."""
        _, body = self.metrics.exposition(OPENMETRICS)
        self.assertIn(b'socketlab_build_info{reactor="epoll",version="0.1.0"} 1', body)

    def test_nothing_of_a_peer(self) -> None:
        """No address and no word of a peer is in an answer."""
        self.tell(
            Accepted(1, "echo", "c1", PEER, "x:7", "tcp"),
            Refused(1, "echo", PEER, "x:7", "access", "said 203.0.113.77"),
            Tls(1, "echo", "c1", sni="evil.example", error="evil.example is not here"),
            closed(),
        )
        _, body = self.metrics.exposition()
        for word in (b"203.0.113", b"evil", b"words", b"54321"):
            self.assertNotIn(word, body)

    def test_bounded(self) -> None:
        """However many connections there were, an answer has as many lines as before."""
        before = self.metrics.exposition()[1].count(b"\n")
        for number in range(1000):
            self.tell(Accepted(number, "echo", f"c{number}", f"10.0.0.1:{number}", "x:7", "tcp"))
            self.tell(closed(duration=number / 7))
        self.assertEqual(self.metrics.exposition()[1].count(b"\n"), before)


class ExpositionTests(MetricsTestCase):
    def content_type(self, accept: str) -> str:
        return self.metrics.exposition(accept)[0]

    def test_forms(self) -> None:
        """OpenMetrics for who asks for it, the older text for everybody else."""
        asked = "application/openmetrics-text; version=1.0.0; charset=utf-8"
        self.assertEqual(self.content_type(OPENMETRICS), asked)
        for accept in ("", "*/*", "text/html", "text/plain;version=0.0.4"):
            self.assertEqual(self.content_type(accept), "text/plain; version=0.0.4; charset=utf-8")

    def test_end(self) -> None:
        """OpenMetrics ends with its mark, so a cut answer can be told."""
        self.assertTrue(self.metrics.exposition(OPENMETRICS)[1].endswith(b"# EOF\n"))
        self.assertNotIn(b"# EOF", self.metrics.exposition()[1])

    def test_versions(self) -> None:
        """A version that cannot be is none; a later one than we write is not claimed."""
        for version in ("abc", "1.x", "9" * 5000, "", "1.0.0\r\nX-Evil: 1"):
            accept = f"application/openmetrics-text;version={version}"
            self.assertNotIn("Evil", self.content_type(accept))
        later = self.content_type("application/openmetrics-text;version=9.9.9")
        self.assertIn("version=1.0.0", later)

    @settings(max_examples=50, deadline=None)
    @given(st.text() | st.lists(st.sampled_from(OPENMETRICS.split(";"))).map(";".join))
    def test_any_accept(self, accept: str) -> None:
        """Whatever the header says, the answer can be read and its type is one of ours."""
        content_type, body = self.metrics.exposition(accept)
        self.assertRegex(content_type, r"^[a-z/-]+; version=[0-9.]+; charset=utf-8[a-z0-9=; -]*$")
        read = read_openmetrics if content_type.startswith("application/") else read_text
        self.assertTrue(list(read(body.decode())))

    def test_import(self) -> None:
        """The library is imported by the first scrape and not before, and brings no reactor."""
        code = (
            "import sys; from twisted.internet.task import Clock;"
            "from twisted_lab.metrics import Metrics; from twisted_lab.loop_lag import LoopLag;"
            "metrics = Metrics(list, LoopLag(Clock()), {}, {}); before = set(sys.modules);"
            "metrics.exposition(); after = set(sys.modules);"
            "print('prometheus_client' in before, 'prometheus_client' in after,"
            " 'twisted.internet.reactor' in after)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        self.assertEqual(done.stdout.decode().split(), ["False", "True", "False"])
