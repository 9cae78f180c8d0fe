"""RFC 862 to 868: every sentence holds, for ours on the well-known ports."""

from __future__ import annotations

from functools import partial

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.namespace import Namespace
from tests.integration.others import running
from tests.integration.peers import ROUNDS, side_by_side
from tests.integration.rfcs import SENTENCES, Server
from twisted_lab.protocols import KINDS


class SentenceTests(SynchronousTestCase):
    def test_each(self) -> None:
        """Each sentence that can be asked from outside holds."""
        # An empty request for the time may be answered only where amplification is allowed.
        options = "--well-known", "--allow-amplification"
        with Namespace() as namespace, namespace.child(*options):
            server = Server(namespace)
            wrong = {
                (sentence.rfc, sentence.form, sentence.text): seen
                for sentence in SENTENCES
                if (seen := sentence.ask(server))
            }
        self.assertEqual(wrong, {})

    def test_default(self) -> None:
        """By default, too, but for the empty request for the time, which nothing answers."""
        with Namespace() as namespace, namespace.child("--well-known"):
            server = Server(namespace)
            wrong = [
                (sentence.text, seen)
                for sentence in SENTENCES
                if sentence.form == "udp" and (seen := sentence.ask(server))
            ]
        self.assertEqual(wrong, [("Send an empty datagram to port 37.", "nothing came")])

    def test_others(self) -> None:
        """The same questions find what others are known to do otherwise."""
        side_by_side(
            *(
                partial(self.ask_other, *known)
                for known in (
                    ("GNU inetd", "time", "tcp", "8 bytes"),
                    ("xinetd", "chargen", "tcp", "93 characters"),
                    ("xinetd", "chargen", "udp", "1024 characters"),
                    ("Twisted wire", "time", "tcp", "off by -2,208,988,8"),
                    ("Twisted wire", "daytime", "tcp", "nothing came"),
                )
            )
        )

    def ask_other(self, name: str, service: str, form: str, seen: str) -> None:
        with Namespace() as namespace, running(name, namespace):
            server = Server(namespace)
            asked = [one for one in SENTENCES if (one.service, one.form) == (service, form)]
            # xinetd leaves some datagrams unanswered: then the same is asked again.
            said = (one.ask(server) for _ in range(ROUNDS) for one in asked)
            self.assertTrue(any(answer.startswith(seen) for answer in said), (name, service))

    def test_all_services(self) -> None:
        """No service with a well-known port is left out, in either form."""
        asked = {(sentence.service, sentence.form) for sentence in SENTENCES}
        known = [kind.name for kind in KINDS.values() if kind.well_known is not None]
        self.assertEqual(asked, {(name, form) for name in known for form in ("tcp", "udp")})
