"""What ``socketlab check`` takes, and what it refuses in one sentence."""

from __future__ import annotations

from twisted.python.usage import UsageError

from tests.folder import FolderTestCase
from tests.programs import SOCKETLAB, run
from twisted_lab.conformance.checking import Choice, case_ids, cases_of, check
from twisted_lab.conformance.exam import traits_of
from twisted_lab.conformance.options import CheckOptions
from twisted_lab.conformance.profiles import PROFILES
from twisted_lab.conformance.target import Limits, Server, Trust
from twisted_lab.errors import ConfigurationError


def read(*words: str) -> CheckOptions:
    options = CheckOptions()
    options.parseOptions(list(words))
    return options


class OptionTests(FolderTestCase):
    def test_read(self) -> None:
        """Options stand anywhere, with their units."""
        options = read(
            *("echo", "--only", "H*,S01", "tcp:127.0.0.1:7", "--skip", "H07", "--slow", "2.5"),
            *("--idle-timeout", "500ms", "--max-line", "16KiB", "--seed", "9", "--repeat", "3"),
            *("--insecure", "--sni", "x.example", "--i-may-test-this", "--only", "leaks"),
        )
        plan = options.plan
        self.assertEqual(options.profile, PROFILES["echo"])
        self.assertEqual(options.endpoint, "tcp:127.0.0.1:7")
        self.assertEqual(plan.choice, Choice(("H*", "S01", "leaks"), ("H07",)))
        self.assertEqual(plan.limits, Limits(0.5, None, 16384))
        self.assertEqual(plan.trust, Trust(True, None, "x.example"))
        self.assertEqual((plan.slow, plan.seed, plan.repeat, plan.public), (2.5, 9, 3, True))

    def test_spawned(self) -> None:
        """A server that we start is asked where it is told to listen."""
        self.assertEqual(read("echo", "--spawn", "x {port}").endpoint, "tcp:127.0.0.1:{port}")

    def test_wrong(self) -> None:
        """What does not fit is one sentence that names it."""
        for words, said in (
            ((), "expected a profile and an endpoint"),
            (("echo",), "expected the endpoint to check as echo"),
            (("ecko", "7"), "there is no profile 'ecko'"),
            (("echo", "7", "8"), "'8': a profile and an endpoint are all"),
            (("echo", "7", "--slow", "0"), "--slow '0': expected"),
            (("echo", "7", "--idle-timeout", "x"), "--idle-timeout 'x': expected a time"),
            (("echo", "7", "--repeat", "0"), "--repeat '0': expected a whole number"),
            (("echo", "7", "--only", ","), "--only ',': expected a case"),
            (("echo", "7", "--many", "x"), "--many: its file says which servers"),
            (("echo", "--json", "-", "--html", "-", "7"), "stdout takes one of"),
            (("echo", "7", "--insecure", "--cafile", "x"), "--cafile: with --insecure"),
            (("--explain", "nope"), "--explain 'nope': there are replies-lost, "),
        ):
            wrong = self.assertRaises(UsageError, read, *words)
            self.assertIn(said, str(wrong), words)

    def test_choice(self) -> None:
        """Cases are named by id, title or bug, in any case; a glob that names none is refused."""
        traits = [traits_of(Server("tcp", "127.0.0.1"), PROFILES["echo"])]

        def chosen(*only: str, skip: tuple[str, ...] = ()) -> list[str]:
            return [case.id for case in cases_of(PROFILES["echo"], traits, Choice(only, skip))]

        self.assertEqual(chosen("h01", "*urgent*"), ["H01", "S09"])
        self.assertIn("H02", chosen("replies-lost"))
        self.assertNotIn("H02", chosen("H*", skip=("h02",)))
        wrong = self.assertRaises(ConfigurationError, chosen, "X99")
        self.assertEqual(str(wrong), "'X99' names no case; --list shows them")

    def test_ids(self) -> None:
        """The ids for a parametrized test; each profile has cases on each of its transports."""
        self.assertIn("H01", case_ids("echo"))
        self.assertIn("U02", case_ids("echo", "udp"))
        self.assertNotIn("U02", case_ids("echo"))
        for profile in PROFILES:
            self.assertGreater(len(case_ids(profile)), 10, profile)
        self.assertRaises(ConfigurationError, case_ids, "echo", "carrier-pigeon")

    def test_program(self) -> None:
        """From Python the same is refused."""
        wrong = self.assertRaises(ConfigurationError, check, "echo")
        self.assertEqual(str(wrong), "expected an endpoint, or spawn")
        wrong = self.assertRaises(ConfigurationError, check, "echo", "tcp:127.0.0.1:{port}")
        self.assertIn("{port} is for --spawn", str(wrong))
        wrong = self.assertRaises(ConfigurationError, check, "echo", "unix:/nope", only="U02")
        self.assertIn("no case of the profile echo is for unix, and among those chosen", str(wrong))


class CommandTests(FolderTestCase):
    def test_list(self) -> None:
        """--list shows the cases, and contacts nobody."""
        done = run(*SOCKETLAB, "check", "--list", "--only", "H01")
        self.assertEqual(done.status, 0, done.err)
        self.assertEqual(done.out.count("A request and FIN in one segment"), 2)  # echo, line

    def test_explain(self) -> None:
        """--explain shows the mends."""
        done = run(*SOCKETLAB, "check", "--explain", "replies-lost")
        self.assertEqual(done.status, 0)
        for called in ("Twisted", "asyncio", "plain Python"):
            self.assertIn(f"The mend in {called}:", done.out)

    def test_wrong(self) -> None:
        """Wrong usage is one sentence and 2; a server that is not there is 1."""
        done = run(*SOCKETLAB, "check", "ecko", "7")
        self.assertEqual((done.status, done.out), (2, ""))
        self.assertIn("socketlab check: there is no profile 'ecko'", done.err)
        done = run(*SOCKETLAB, "check", "echo", "unix:/nope")
        self.assertEqual(done.status, 1)
        self.assertIn("connect() failed: No such file or directory", done.err)
        done = run(*SOCKETLAB, "check", "echo", "--many", "/nope")
        self.assertEqual(done.status, 1)
        self.assertIn("cannot read '/nope'", done.err)
