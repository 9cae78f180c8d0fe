"""Results become a report: for people, for programs, for CI, as a page."""

from __future__ import annotations

import io
import json
from xml.etree import ElementTree

from rich.console import Console
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.conformance.as_html import as_html
from twisted_lab.conformance.as_json import as_json
from twisted_lab.conformance.as_junit import as_junit
from twisted_lab.conformance.board import Board, show_cases
from twisted_lab.conformance.cases import catalogue
from twisted_lab.conformance.exam import Result
from twisted_lab.conformance.log import Log
from twisted_lab.conformance.profiles import PROFILES
from twisted_lab.conformance.report import CheckFailed, Report, merged
from twisted_lab.conformance.verdicts import Finding, Verdict, could_not_tell, info, ok, skipped
from twisted_lab.events import Connected, Received, Sent

CASES = {case.id: case for case in catalogue()}
NASTY = "</script><b>\x1b[31m&"


def talk() -> Log:
    log = Log("echo", lambda: 0)
    one = log.begin("127.0.0.1:7", "127.0.0.1:5")
    one.add(Connected(0, "echo", "k1", "127.0.0.1:7", "127.0.0.1:5", "tcp"))
    one.add(Sent(1000, "echo", "k1", 5, b"hello"))
    one.add(Received(2000, "echo", "k1", len(NASTY), NASTY.encode()))
    return log


WRONG = Result(
    CASES["H01"],
    Finding(Verdict.FAILED, "FIN came after 0 bytes"),
    0.5,
    tuple(talk().conversations),
)
RESULTS = (
    Result(CASES["S01"], ok("64 bytes came back")),
    WRONG,
    Result(CASES["S09"], info("it is so")),
    Result(CASES["P01"], skipped("--spawn: its own process")),
    Result(CASES["N06"], could_not_tell("late")),
)
REPORT = Report("tcp:127.0.0.1:7", "echo", RESULTS, 3.25, 7, ("Traceback", "Oh"))
GONE = Report("bob", "echo", wrong="bob: connect() failed: Connection refused")


class ReportTests(SynchronousTestCase):
    def test_failed(self) -> None:
        """Only what failed is an accusation, named by its bug; the wire is told."""
        self.assertEqual([one.bug for one in REPORT.failed], ["replies-lost"])
        wrong = str(self.assertRaises(CheckFailed, REPORT.raise_if_failed))
        self.assertTrue(
            wrong.startswith(
                "H01 failed: replies lost when the client half-closes: FIN came after 0 bytes\n"
                "          0  connected to 127.0.0.1:7"
            ),
            wrong,
        )
        self.assertIn("what the server wrote last:\n  Traceback\n  Oh", wrong)

    def test_well(self) -> None:
        """A report without a failure raises nothing; one without a server does."""
        Report("x", "echo", RESULTS[:1]).raise_if_failed()
        self.assertIn("refused", str(self.assertRaises(CheckFailed, GONE.raise_if_failed)))

    def test_merged(self) -> None:
        """Of several runs the worst result stands, with how often it was."""
        well = Result(CASES["H01"], ok("well"))
        runs = [Report("x", "echo", [one], 1.0) for one in (well, WRONG, well)]
        (result,) = merged(runs).results
        self.assertEqual(result.finding.verdict, Verdict.FAILED)
        self.assertEqual(result.finding.reason, "1 of 3 runs: FIN came after 0 bytes")
        self.assertEqual(merged(runs).seconds, 3.0)
        self.assertEqual(merged([runs[0], runs[0]]).results, [well])
        self.assertEqual(merged([runs[0], GONE]), GONE)


class FormTests(SynchronousTestCase):
    def test_json(self) -> None:
        """Each case with its verdict, its bug by name, and its wire; one that is not there, too."""
        said = json.loads(as_json([REPORT, GONE]))
        first, second = said["servers"]
        case = first["cases"][1]
        self.assertEqual((case["id"], case["verdict"]), ("H01", "failed"))
        self.assertEqual(case["bug"], "replies lost when the client half-closes")
        self.assertIn("\\x1b[31m", case["wire"][0]["events"][2])
        self.assertEqual(first["counts"]["ok"], 1)
        self.assertEqual((first["seed"], first["said"]), (7, ["Traceback", "Oh"]))
        self.assertIn("refused", second["wrong"])

    def test_junit(self) -> None:
        """A suite a server; failures, skipped ones and errors are counted as what they are."""
        suites = ElementTree.fromstring(as_junit([REPORT, GONE]))
        first, second = suites
        counts = {name: first.get(name) for name in ("tests", "failures", "errors", "skipped")}
        self.assertEqual(counts, {"tests": "5", "failures": "1", "errors": "0", "skipped": "2"})
        failure = first.find("testcase/failure")
        assert failure is not None
        self.assertEqual(failure.get("type"), "replies-lost")
        self.assertIn("recv() returned", failure.text or "")
        self.assertEqual((second.get("tests"), second.get("errors")), ("1", "1"))

    def test_html(self) -> None:
        """The page stands alone, has the matrix and the picture, and shows no peer's words raw."""
        page = as_html([REPORT, GONE])
        self.assertIn("<svg", page)
        self.assertIn('class="matrix"', page)
        self.assertIn(">server<", page)
        self.assertIn("The mend in plain Python", page)
        for foreign in ("http://", "https://", "<script", "</script>", "\x1b", "<b>\\"):
            self.assertNotIn(foreign, page.replace('xmlns="http://www.w3.org/2000/svg"', ""))
        self.assertNotIn('class="matrix"', as_html([REPORT]))


class BoardTests(SynchronousTestCase):
    def show(self, quiet: bool = False, wire: bool = False, width: int = 100) -> str:
        console = Console(file=io.StringIO(), width=width, highlight=False, markup=False)
        with Board(console, quiet=quiet, wire=wire) as board:
            board.begin(len(RESULTS))
            for result in RESULTS:
                board.tell(result)
            board.end(REPORT)
            board.end(GONE)
            board.matrix([REPORT, GONE])
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue()

    def test_rows(self) -> None:
        """A row a case; a failure in full, with the wire and what the server wrote; the sum."""
        said = self.show()
        self.assertIn("S01  ok             A request, a reply: 64 bytes came back", said)
        self.assertIn("H01  failed         A request and FIN in one segment: replies lost", said)
        self.assertIn("mend      socketlab check --explain replies-lost", said)
        self.assertIn("\\x1b[31m", said)
        self.assertNotIn("\x1b", said)
        self.assertIn("What the server wrote last:\n  Traceback\n  Oh", said)
        self.assertIn("1 ok, 1 failed, 1 could-not-tell, 1 info, 1 skipped; 3.2 s, seed 7", said)
        self.assertIn("Connection refused", said)
        self.assertIn("not there", said)

    def test_quiet(self) -> None:
        """Quietly only failures and the sum are shown."""
        said = self.show(quiet=True)
        self.assertNotIn("64 bytes came back", said)
        self.assertIn("H01 A request and FIN", said)

    def test_wire(self) -> None:
        """On demand the wire of each case."""
        self.assertEqual(self.show(wire=True).count("recv() returned"), 1)

    def test_narrow(self) -> None:
        """In a narrow terminal nothing is cut off."""
        said = self.show(width=40)
        self.assertLessEqual(max(map(len, said.splitlines())), 40)
        self.assertIn("refused", said)

    def test_list(self) -> None:
        """The cases of a profile, each with what it does."""
        console = Console(file=io.StringIO(), width=200)
        show_cases(console, PROFILES["echo"], [CASES["H01"], CASES["P01"]])
        assert isinstance(console.file, io.StringIO)
        said = console.file.getvalue()
        self.assertIn("echo: sends back what it gets (RFC 862); 2 cases", said)
        self.assertIn("Needs --spawn", said)
