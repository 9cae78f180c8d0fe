"""The pages say what the code does: options, services, events, reasons, gates."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.datagram_socket import DropReason
from twisted_lab.events import CATALOGUE, CloseReason, TcpInfo
from twisted_lab.protocols import KINDS
from twisted_lab.protocols.commands import COMMANDS
from twisted_lab.settings import OPTIONS

ROOT = Path(__file__).parents[1]

#: What every event has; the page says so once.
COMMON = {"ns", "service"}


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


class ReadmeTests(SynchronousTestCase):
    def test_options(self) -> None:
        """README's table has every option, and no other."""
        section = page("README.md").partition("## Options")[2].partition("## More")[0]
        listed = set(re.findall(r"`--([a-z-]+)", section)) - {"help"}
        self.assertEqual(listed, {option.name for option in OPTIONS})

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
