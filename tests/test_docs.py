"""The pages say what the code does: options, services, events, reasons, gates."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from scripts import cases_page, mistakes_page, reference_pages
from tests.folder import FolderTestCase
from twisted_lab.client.options import ConnectOptions
from twisted_lab.config import ConfigFile
from twisted_lab.conformance.custom import EXAMPLES, SWITCHES, TEXTS
from twisted_lab.conformance.options import CheckOptions
from twisted_lab.conformance.profiles import PROFILES
from twisted_lab.conformance.verdicts import Verdict
from twisted_lab.datagram_socket import DropReason
from twisted_lab.errors import ConfigurationError
from twisted_lab.events import CATALOGUE, CloseReason, TcpInfo
from twisted_lab.limits import RENEWABLE
from twisted_lab.live.command import Options
from twisted_lab.live.glyphs import UNICODE, Glyphs
from twisted_lab.live.screen import HELP
from twisted_lab.protocols import KINDS
from twisted_lab.protocols.commands import COMMANDS
from twisted_lab.settings import OPTIONS
from twisted_lab.study.experiment import experiment, names
from twisted_lab.study.options import StudyOptions
from twisted_lab.watch.options import ProgramOptions

ROOT = Path(__file__).parents[1]

#: What every event has; the page says so once.
COMMON = {"ns", "service", "call"}


def page(name: str) -> str:
    return (ROOT / name).read_text()


def words(text: str) -> set[str]:
    """Everything in code quotes."""
    return set(re.findall(r"`([^`\n]+)`", text))


class EventsPageTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.page = page("docs/events.md")
        self.rows = {
            match[1]: match[2]
            for match in re.finditer(r"^\| `([a-z-]+)` \| .+ \| (.*) \|$", self.page, re.MULTILINE)
        }

    def test_events_and_fields(self) -> None:
        """Each event of the code has its row, with exactly its fields; no row is of the past."""
        for name, kind in CATALOGUE.items():
            said = words(self.rows[name]) - {"in", "out"}
            fields = {field.name for field in dataclasses.fields(kind)} - COMMON
            self.assertEqual((name, said), (name, fields))
        self.assertEqual(set(self.rows), set(CATALOGUE))

    def test_close_reasons(self) -> None:
        """Each close reason has its row."""
        section = self.page.partition("## Close reasons")[2].partition("## ")[0]
        listed = re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE)
        self.assertEqual(listed, [reason.value for reason in CloseReason])

    def test_gates(self) -> None:
        """Each gate of a policy has its row among the reasons of a refusal."""
        section = self.page.partition("## Reasons of a refusal")[2].partition("## ")[0]
        policies = "".join(
            path.read_text() for path in (ROOT / "twisted_lab/policies").glob("*.py")
        )
        gates = set(re.findall(r'Refusal\(\s*"([a-z-]+)"', policies))
        self.assertGreater(len(gates), 4)
        self.assertEqual(gates - words(section), set())

    def test_drop_reasons(self) -> None:
        """Each reason of a dropped datagram has its row."""
        section = self.page.partition("## Reasons of a dropped datagram")[2].partition("## ")[0]
        self.assertEqual({reason.value for reason in DropReason} - words(section), set())

    def test_tcp_info(self) -> None:
        """Each field of the kernel's view is named."""
        self.assertEqual({f.name for f in dataclasses.fields(TcpInfo)} - words(self.page), set())


class ConnectPageTests(SynchronousTestCase):
    def test_options(self) -> None:
        """Each option has its row, and no other has."""
        section = page("docs/connect.md").partition("## Options")[2].partition("\n\n## ")[0]
        listed = set(re.findall(r"`--([a-z]+)", section))
        known = {name for name, *_ in (*ConnectOptions.optParameters, *ConnectOptions.optFlags)}
        self.assertEqual(listed, known)


class WatchPageTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.page = page("docs/watch.md")

    def test_keys(self) -> None:
        """Each key of the help has its row, and no other has."""
        section = self.page.partition("## Keys")[2].partition("\n\n## ")[0]
        rows = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", section, re.MULTILINE))
        del rows["key"]
        self.assertEqual(list(rows), [keys for keys, _ in HELP])

    def test_options(self) -> None:
        """Each option has its row, and no other has."""
        section = self.page.partition("## Options")[2].partition("\n\n## ")[0]
        listed = set(re.findall(r"`--([a-z]+)", section))
        known = {name for name, *_ in (*Options.optParameters, *Options.optFlags)}
        self.assertEqual(listed, known)

    def test_drawn(self) -> None:
        """What the ladder is drawn with stands in its table."""
        table = self.page.partition("| drawn |")[2].partition("\n\n")[0]
        for name in Glyphs.__slots__:
            if name not in ("life", "left", "corner_left", "corner_right", "chosen", "dot", "more"):
                self.assertIn(getattr(UNICODE, name), table, name)


class OwnPageTests(SynchronousTestCase):
    def test_examples(self) -> None:
        """What the page shows of a file in examples/ is in that file, and every file is there."""
        shown = set()
        before, *blocks = page("docs/own.md").split("```python\n")
        for text in blocks:
            # The paragraph in front of a block links to its file.
            names = re.findall(r"\]\(\.\./(examples/\w+\.py)\)", before.strip().split("\n\n")[-1])
            code, _, before = text.partition("```")
            for name in names:
                self.assertIn(code.rstrip(), page(name))
                shown.add(name)
        files = {f"examples/{path.name}" for path in (ROOT / "examples").glob("*.py")}
        self.assertEqual(shown, files)


class ReadmeTests(SynchronousTestCase):
    def test_options(self) -> None:
        """README's table has every option, and no other."""
        section = page("README.md").partition("## Options")[2].partition("## More")[0]
        listed = set(re.findall(r"`--([a-z-]+)", section)) - {"help"}
        self.assertEqual(listed, {option.name for option in OPTIONS} | {"config"})

    def test_services(self) -> None:
        """README's table has every service, and no other."""
        section = page("README.md").partition("## Services")[2].partition("The line service")[0]
        listed = re.findall(r"^\| `([a-z]+)` \|", section, re.MULTILINE)
        self.assertEqual(set(listed), set(KINDS))

    def test_commands(self) -> None:
        """README's table has every command of the line service, and no other."""
        section = page("README.md").partition("The line service's")[2].partition("## ")[0]
        listed = set(re.findall(r"`/([a-z-]+)", section))
        self.assertEqual(listed, {name.lstrip("/") for name in COMMANDS})

    def test_links(self) -> None:
        """No page links to a file that is not there."""
        pages = [
            ROOT / "README.md",
            ROOT / "CONTRIBUTING.md",
            *sorted((ROOT / "docs").glob("*.md")),
        ]
        for document in pages:
            for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
                self.assertTrue((document.parent / target).exists(), f"{document.name}: {target}")


class ConfigPageTests(FolderTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.page = page("docs/config.md")

    def test_examples(self) -> None:
        """Every file shown, here and in README, is one that can be read."""
        for name in ("key.pem", "cert.pem", "ca.pem"):
            (self.folder / name).touch()
        file = self.folder / "services.toml"
        shown = re.findall(r"^```toml\n(.*?)^```", self.page + page("README.md"), re.M | re.S)
        self.assertEqual(len(shown), 3)
        for text in shown:
            file.write_text(text)
            self.assertGreater(len(ConfigFile(file.name, str(file), {}).read().services), 1)

    def test_sentence(self) -> None:
        """The sentence shown for a wrong value is the one that is said."""
        file = self.folder / "services.toml"
        file.write_text(
            '[[service]]\nkind = "echo"\n\n[[service]]\nkind = "line"\n\n\n'
            'idle_timeout = "5 parsecs"\n'
        )
        read = ConfigFile(file.name, str(file), {}).read
        self.assertIn(f"\n{self.assertRaises(ConfigurationError, read)}\n", self.page)

    def test_reload(self) -> None:
        """What may change without a restart is in the table, and nothing else is said to."""
        table = self.page.partition("| what changed |")[2]
        rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
        self.assertEqual(set().union(*map(words, rows)), {*RENEWABLE, "drain"})

    def test_process(self) -> None:
        """The options of the whole process are those named so."""
        said = self.page.partition("for the whole process (")[2].partition(")")[0]
        self.assertEqual(words(said), {option.field for option in OPTIONS if option.process})


class CheckPageTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.page = page("docs/check.md")

    def section(self, title: str) -> str:
        return self.page.partition(f"## {title}\n")[2].partition("\n\n## ")[0]

    def test_options(self) -> None:
        """Each option has its row, and no other has."""
        listed = set(re.findall(r"`--([a-z-]+)", self.section("Options").replace("` `", "`\n`")))
        known = {name for name, *_ in (*CheckOptions.optParameters, *CheckOptions.optFlags)}
        self.assertEqual(listed, known | {"only", "skip"})

    def test_profiles(self) -> None:
        """Each profile has its place in the table."""
        listed = words(self.section("Profiles").partition("ENDPOINT")[0])
        self.assertEqual(listed, {*PROFILES, *EXAMPLES, "FILE.toml"})

    def test_verdicts(self) -> None:
        """Each verdict has its row."""
        listed = re.findall(r"^\| `([a-z -]+)` \|", self.section("Verdicts"), re.MULTILINE)
        self.assertEqual(sorted(listed), sorted(Verdict))

    def test_keys(self) -> None:
        """Each key of a profile has its row, and the example shown is the one that is shipped."""
        rows = re.findall(r"^\| (`.*`) \|", self.section("A profile of your own"), re.MULTILINE)
        self.assertEqual({word for row in rows for word in words(row)}, {*TEXTS, *SWITCHES})
        shipped = (ROOT / "twisted_lab/conformance/examples/redis.toml").read_text()
        shown = self.section("A profile of your own").partition("```toml\n")[2].partition("```")[0]
        self.assertIn(shown, shipped)
        for name in EXAMPLES:
            file = ROOT / f"twisted_lab/conformance/examples/{name}.toml"
            self.assertLessEqual(len(file.read_text().splitlines()), 15)

    def test_cases_page(self) -> None:
        """docs/cases.md is what its command writes."""
        self.assertEqual(page("docs/cases.md"), cases_page.page())


class ProgramsPageTests(SynchronousTestCase):
    def test_options(self) -> None:
        """docs/programs.md has every option of socketlab watch -- PROGRAM, and no other."""
        rows = set(re.findall(r"^\| `--([a-z]+)", page("docs/programs.md"), re.MULTILINE))
        options = ProgramOptions()
        known = {one[0] for one in (*options.optParameters, *options.optFlags)}
        self.assertEqual(rows, known - {"help", "version"})

    def test_mistakes(self) -> None:
        """docs/mistakes.md is made of the code as it is."""
        self.assertEqual(page("docs/mistakes.md"), mistakes_page.text())


class ReferencePagesTests(SynchronousTestCase):
    def test_made(self) -> None:
        """Services, options and Python's interface are those of the code."""
        for name, text in reference_pages.pages().items():
            self.assertEqual(page(f"docs/{name}"), text.rstrip() + "\n", name)


class StudyPageTests(SynchronousTestCase):
    def test_experiments(self) -> None:
        """Each experiment has its row, in their order, and says whether it has an exercise."""
        rows = re.findall(
            r"^\| (\d+) \| `([a-z-]+)` \| (.+) \| (yes|) ?\|$", page("docs/study.md"), re.MULTILINE
        )
        found = [experiment(name) for name in names()]
        self.assertEqual(
            [(int(number), name, title, bool(yes)) for number, name, title, yes in rows],
            [(one.number, one.name, one.title, one.exercise is not None) for one in found],
        )

    def test_options(self) -> None:
        """Each option has its row."""
        said = set(re.findall(r"^\| `--([a-z]+)", page("docs/study.md"), re.MULTILINE))
        self.assertEqual(
            said, {name for name, *_ in (*StudyOptions.optParameters, *StudyOptions.optFlags)}
        )
