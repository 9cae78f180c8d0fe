"""What is known to deviate in real servers is found, by the case that is named for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from twisted.trial.unittest import SynchronousTestCase

from scripts.field_report import PAGE
from tests.integration.field import SUBJECTS, checked
from tests.integration.peers import ROUNDS
from twisted_lab.conformance.cases import catalogue


@dataclass(frozen=True, slots=True)
class Known:
    """Of *subject*, *case* says *verdict*; *bug* and *reason* are part of its words."""

    subject: str
    case: str
    verdict: str
    bug: str = ""
    reason: str = ""


def _failed(subject: str, case: str, bug: str, reason: str = "") -> Known:
    return Known(subject, case, "failed", bug, reason)


_LOST = "replies lost when the client half-closes"
_BACKLOG = "connects wait because the backlog is small"
_LOOP = "answers what can only be a reply"

KNOWN = (
    # What comes with FIN right behind it is not answered.
    _failed("Twisted wire echo tcp", "H01", _LOST),
    _failed("Twisted LineReceiver line tcp", "H01", _LOST),
    _failed("twistd portforward echo tcp", "H01", _LOST),
    _failed("ncat echo tcp", "H01", _LOST),
    Known("socat echo tcp", "H01", "ok"),
    Known("GNU inetd echo tcp", "H01", "ok"),
    Known("xinetd echo tcp", "H01", "ok"),
    Known("asyncio streams echo tcp", "H01", "ok"),
    Known("C, fork echo tcp", "H01", "ok"),
    Known("Go echo tcp", "H01", "ok"),
    # RFC 868 has 4 bytes, and counts from 1900.
    _failed("GNU inetd time tcp", "R01", "the reply is wrong", "8 bytes, not the 4"),
    _failed("GNU inetd time udp", "U01", "the reply is wrong", "8 bytes, not the 4"),
    Known("xinetd time tcp", "R01", "ok"),
    _failed("Twisted wire time tcp", "R01", "the reply is wrong", "it counts from 1970"),
    # RFC 867 has a date; its TypeError lets the client wait.
    _failed("Twisted wire daytime tcp", "R01", "", "after 0 bytes from it"),
    # RFC 864 recommends lines that rotate through 95 characters, and 512 in a datagram at most.
    Known("Twisted wire chargen tcp", "R04", "non-strict", reason="100000 characters"),
    Known("xinetd chargen tcp", "R04", "non-strict", reason="93 of the 95 printing characters"),
    Known("GNU inetd chargen tcp", "R04", "ok"),
    _failed("xinetd chargen udp", "U01", "the reply is wrong", "1,024 characters"),
    # Two servers that answer each other never end.
    _failed("xinetd echo udp", "U10", _LOOP, "13"),
    _failed("GNU inetd echo udp", "U12", _LOOP),
    _failed("socketserver echo udp", "U10", _LOOP),
    # Sixty clients at once wait seconds for a queue of five.
    _failed("socat echo tcp", "N03", _BACKLOG),
    _failed("ncat echo tcp", "N03", _BACKLOG),
    _failed("socketserver echo tcp", "N03", _BACKLOG),
    Known("socat, backlog=512 echo tcp", "N03", "ok"),
    # A port in TIME_WAIT, without SO_REUSEADDR.
    _failed("socketserver echo tcp", "P02", "bind: address in use after a restart"),
    # A buffer of its own choice.
    _failed("socketserver echo udp", "U02", "cuts datagrams to its own buffer"),
    # The first example of the streams reads once, and closes.
    _failed("asyncio, as documented echo tcp", "S04", "reads once per request"),
)


class PreyTests(SynchronousTestCase):
    timeout = 110

    def test_found(self) -> None:
        """Each is found, and what others do right is not held against them."""
        with ThreadPoolExecutor(6) as pool:
            for known, said in zip(KNOWN, pool.map(_ask, KNOWN), strict=True):
                verdict, bug, reason = said
                self.assertEqual((known, verdict), (known, known.verdict), said)
                self.assertIn(known.bug, bug, known)
                self.assertIn(known.reason, reason, known)


#: A race between our connects and the server's accept(): where others of this machine slow us
#: down, the queue is never full. It is run again.
_RACES = {"N03"}


def _ask(known: Known) -> tuple[str, str, str]:
    """What is said; again where the machine was too busy to tell, or for the race to be one."""
    for _ in range(ROUNDS):
        said = checked(SUBJECTS[known.subject], "--only", known.case, "--seed", "1")
        (case,) = said["cases"] or ({"id": "", "verdict": said["wrong"], "bug": "", "reason": ""},)
        race = case["id"] in _RACES and case["verdict"] != known.verdict
        if case["verdict"] != "could-not-tell" and not race:
            break
    return case["verdict"], case["bug"], case["reason"]


class PageTests(SynchronousTestCase):
    def test_whole(self) -> None:
        """The page has every server, and every case that is for one of them, under its name."""
        page = PAGE.read_text()
        for subject in SUBJECTS.values():
            self.assertIn(f"| {subject.name} |", page)
        titles = {case.id: case.title for case in catalogue()}
        rows = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")]
        cases = [row for row in rows if row[:3] in titles]
        self.assertGreater(len(set(cases)), 50)
        for row in cases:
            self.assertEqual(row, f"{row[:3]} {titles[row[:3]]}")
