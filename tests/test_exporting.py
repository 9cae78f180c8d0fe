"""A recording becomes a file of packets, or one sentence says why not."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

from twisted.internet.task import Clock

from tests.folder import FolderTestCase
from tests.programs import SOCKETLAB, run
from tests.test_capturing import INTERFACE, PACKET, SECTION, blocks, kinds
from twisted_lab.capturing import PcapngForm
from twisted_lab.errors import ConfigurationError
from twisted_lab.events import (
    Accepted,
    Closed,
    CloseReason,
    Connected,
    Event,
    Listening,
    Received,
    Sent,
    TcpInfo,
)
from twisted_lab.exporting import export_html, export_pcapng, export_svg
from twisted_lab.playback import nanoseconds
from twisted_lab.publishing import Publisher
from twisted_lab.recording import JsonLines, Recorder

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_001, tzinfo=UTC)
PEER, LOCAL = "127.0.0.1:5", "127.0.0.1:9"
INFO = TcpInfo("established", 1, 2, 3, 4, 5, 6, 7, 8, 9)
EVENTS: tuple[Event, ...] = (
    Accepted(5, "echo", "c1", PEER, LOCAL, "tcp"),
    Received(6, "echo", "c1", 5, b"a\xff\nbc"),
    Closed(9, "echo", "c1", PEER, LOCAL, CloseReason.RESET, 5, 0, 1.0, tcp_info=INFO),
)


class ExportCase(FolderTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.recording = self.folder / "run.jsonl"
        self.target = self.folder / "run.pcapng"

    def record(self, *events: Event) -> None:
        clock = Clock()
        publisher = Publisher(lambda: 0)
        form = JsonLines(publisher, lambda: nanoseconds(NOON))
        recorder = Recorder(str(self.recording), clock, publisher, form)
        for event in events:
            recorder(event)
        recorder.close()

    def export(self) -> bytes:
        export_pcapng([str(self.recording)], str(self.target))
        return self.target.read_bytes()

    def refusal(self, recording: Path | None = None, target: Path | None = None) -> str:
        names = [str(recording or self.recording)], str(target or self.target)
        return str(self.assertRaises(ConfigurationError, export_pcapng, *names))


class ExportTests(ExportCase):
    def test_same_as_live(self) -> None:
        """The packets are those that would have been written as it happened."""
        self.record(*EVENTS)
        form = PcapngForm(nanoseconds(NOON))
        self.assertEqual(self.export(), form.begin() + b"".join(map(form.of, EVENTS)))
        self.assertEqual(nanoseconds(NOON), 1_772_366_400_250_001_000)

    def test_private(self) -> None:
        """It may hold anybody's secrets, as the recording does; nothing else is left there."""
        self.record(*EVENTS)
        self.export()
        self.assertEqual(stat.S_IMODE(self.target.stat().st_mode), 0o600)
        self.assertEqual(sorted(self.folder.iterdir()), [self.recording, self.target])

    def test_pipe(self) -> None:
        """A pipe or a device is written to, never replaced by a file of its name."""
        self.record(*EVENTS)
        whole = self.export()
        self.target.unlink()
        os.mkfifo(self.target)
        reading = os.open(self.target, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reading)
        export_pcapng([str(self.recording)], str(self.target))
        self.assertTrue(self.target.is_fifo())
        self.assertEqual(os.read(reading, 2**16), whole)

    def test_folder(self) -> None:
        """A folder is no file to write, which is said."""
        self.record(*EVENTS)
        self.target.mkdir()
        self.assertEqual(self.refusal(), f"cannot write '{self.target}': Is a directory")

    def test_appended(self) -> None:
        """A recording of two runs is a file of two sections."""
        self.record(*EVENTS)
        self.record(*EVENTS)
        found = kinds(self.export())
        self.assertEqual(found, [SECTION, INTERFACE, *[PACKET] * 5] * 2)

    def test_onto_itself(self) -> None:
        """Whatever the target was is replaced when all is well, and only then."""
        self.target.write_text("before")
        self.recording.write_text("nonsense")
        self.refusal()
        self.assertEqual(self.target.read_text(), "before")
        self.recording.unlink()
        self.record(*EVENTS)
        self.assertEqual(blocks(self.export())[0][0], SECTION)


class RefusalTests(ExportCase):
    def test_lines(self) -> None:
        """A line that is none of a recording is named, with what is wrong."""
        self.record(EVENTS[0])
        header, event = self.recording.read_text().splitlines(keepends=True)
        for text, number, why in (
            ("", None, "is empty: nothing was recorded"),
            ("nonsense\n", 1, "this is no line of a recording"),
            ("[]\n", 1, "this is no line of a recording"),
            ("\xff\n", 1, "this is no line of a recording"),
            (event, 1, "a recording begins with its header"),
            (header.replace('"socketlab":1', '"socketlab":2'), 1, "format 2, and this socketlab"),
            (header.replace("started", "begun"), 1, "does not say when it started"),
            (header.replace("2026-", "26-"), 1, "does not say when it started"),
            (
                header + event.replace("accepted", "excepted"),
                2,
                "no event that this socketlab knows",
            ),
            (header + event.replace("peer", "pear"), 2, "no event that this socketlab knows"),
            (header + event + event[:20], 3, "this is no line of a recording"),
            ("[" * 100_000 + "\n", 1, "this is no line of a recording"),
            (header.replace('"ns":0', '"ns":1e400'), 1, "does not say when it started"),
            (header.replace("2026-", "9998-"), 1, "does not say when it started"),
            (header + event.replace('"ns":5', '"ns":"5"'), 2, "no event that this socketlab"),
            (header + event.replace('"ns":5', '"ns":-5'), 2, "no event that this socketlab"),
            (header + event.replace('"ns":5', f'"ns":{2**64}'), 2, "no event that this socketlab"),
            (header + event.replace('"tcp"', "[]"), 2, "no event that this socketlab"),
        ):
            self.recording.write_text(text, "latin-1")
            said = self.refusal()
            self.assertIn(why, said)
            if number is not None:
                self.assertIn(f"{self.recording}, line {number}: ", said)
        self.assertFalse(self.target.exists())
        self.assertEqual(list(self.folder.iterdir()), [self.recording])

    def test_files(self) -> None:
        """A file that is not there, or cannot be made, is named with the reason."""
        said = self.refusal()
        self.assertEqual(said, f"cannot read '{self.recording}': No such file or directory")
        self.record(*EVENTS)
        said = self.refusal(target=self.folder / "no" / "such")
        where = self.folder / "no" / "such"
        self.assertEqual(said, f"cannot write '{where}': No such file or directory")
        self.assertIn("Is a directory", self.refusal(target=self.folder))
        self.assertIn("Is a directory", self.refusal(recording=self.folder))
        self.assertEqual(list(self.folder.iterdir()), [self.recording])


class PictureTests(ExportCase):
    def test_svg(self) -> None:
        """The only conversation, or the one that is asked for, as a picture that stands alone."""
        self.record(*EVENTS)
        export_svg([str(self.recording)], str(self.target))
        picture = self.target.read_text()
        self.assertTrue(picture.startswith("<svg"))
        self.assertIn("<style>", picture)
        self.assertIn("RST from the peer", picture)
        export_svg([str(self.recording)], str(self.target), "c1")
        self.assertEqual(self.target.read_text(), picture)

    def test_which(self) -> None:
        """Of several one must be said, and nothing is written."""
        other = Accepted(5, "echo", "c2", PEER, LOCAL, "tcp")
        self.record(*EVENTS, other)
        names = [str(self.recording)], str(self.target)
        said = str(self.assertRaises(ConfigurationError, export_svg, *names))
        self.assertIn("c1, c2", said)
        self.assertFalse(self.target.exists())
        export_svg(*names, "c2")
        self.assertRaises(ConfigurationError, export_html, *names, "c3")

    def test_both_ends(self) -> None:
        """Of two recordings with the two ends of a conversation, one picture of both."""
        self.record(*EVENTS)
        here, there = self.folder / "here.jsonl", self.folder / "there.jsonl"
        self.recording.rename(here)
        connected = Connected(0, "client", "c1", LOCAL, PEER, "tcp")
        self.record(connected, Sent(10, "client", "c1", 5, b"hello"))
        self.recording.rename(there)
        export_svg([str(here), str(there)], str(self.target))
        self.assertIn("Both ends: client and echo", self.target.read_text())
        page = self.folder / "page.html"
        export_html([str(here), str(there)], str(page))
        self.assertIn("client and echo: both ends", page.read_text())

    def test_first(self) -> None:
        """Where the first is meant, of several that is drawn, and of none nothing."""
        other = Accepted(5, "echo", "c2", PEER, LOCAL, "tcp")
        self.record(*EVENTS, other)
        self.assertEqual(export_svg([str(self.recording)], str(self.target), first=True), 2)
        self.target.unlink()
        self.recording.unlink()
        self.record(Listening(0, "echo", LOCAL, "tcp"))
        self.assertEqual(export_svg([str(self.recording)], str(self.target), first=True), 0)
        self.assertFalse(self.target.exists())

    def test_html(self) -> None:
        """All of them as a page, in a file that is nobody else's."""
        self.record(*EVENTS)
        export_html([str(self.recording)], str(self.target))
        self.assertIn("<h1>socketlab: run.jsonl</h1>", self.target.read_text())
        self.assertEqual(stat.S_IMODE(self.target.stat().st_mode), 0o600)

    def test_command(self) -> None:
        """One command writes all three."""
        self.record(*EVENTS)
        targets = [str(self.folder / f"x.{form}") for form in ("pcapng", "svg", "html")]
        words = [word for target in targets for word in (f"--{target.rpartition('.')[2]}", target)]
        done = run(*SOCKETLAB, "export", str(self.recording), *words)
        self.assertEqual((done.status, done.err), (0, ""))
        self.assertTrue(all(Path(target).stat().st_size > 100 for target in targets))

    def test_stdout(self) -> None:
        """Stdout takes one of them."""
        self.record(*EVENTS)
        done = run(*SOCKETLAB, "export", str(self.recording), "--svg", "-")
        self.assertTrue(done.out.startswith("<svg"))
        for words, said in (
            (("--svg", "-", "--html", "-"), "stdout takes one"),
            (("--pcapng", "x", "--connection", "c1"), "'c1'"),
        ):
            done = run(*SOCKETLAB, "export", str(self.recording), *words)
            self.assertEqual(done.status, 2)
            self.assertIn(said, done.err)


class CommandTests(ExportCase):
    def test_command(self) -> None:
        """socketlab export writes the file, wherever the options stand; - is stdout."""
        self.record(*EVENTS)
        whole = self.export()
        for words in (
            (str(self.recording), "--pcapng", str(self.target)),
            (f"--pcapng={self.target}", str(self.recording)),
        ):
            self.target.unlink()
            done = run(*SOCKETLAB, "export", *words)
            self.assertEqual((done.status, done.out, done.err), (0, "", ""))
            self.assertEqual(self.target.read_bytes(), whole)

    def test_usage(self) -> None:
        """What is wrong on the command line is one sentence; 2."""
        for words, said in (
            ((), "expected the recording to export"),
            (("a",), "--pcapng, --svg or --html FILE says what to write, and where"),
            (("a", "--svgs", "b"), "option --svgs"),
        ):
            done = run(*SOCKETLAB, "export", *words)
            self.assertEqual((done.status, done.out), (2, ""), words)
            (line,) = done.err.splitlines()
            self.assertTrue(line.startswith("socketlab export: "), line)
            self.assertIn(said, line)

    def test_refused(self) -> None:
        """What cannot be exported is one sentence; 1."""
        done = run(*SOCKETLAB, "export", "/no/such", "--pcapng", str(self.target))
        self.assertEqual((done.status, done.out), (1, ""))
        said = "socketlab export: cannot read '/no/such': No such file or directory\n"
        self.assertEqual(done.err, said)
