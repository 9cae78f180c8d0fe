"""The study, run for real: what is broken on purpose is said, and programs are graded."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from tests import programs
from tests.folder import FolderTestCase
from tests.integration.browsing import NARROW, WIDE, BrowserTestCase
from tests.programs import SOCKETLAB
from twisted_lab.study.experiment import experiment
from twisted_lab.study.program import Program
from twisted_lab.study.report import page
from twisted_lab.study.running import REACTORS, Outcome, run
from twisted_lab.study.stage import Stage


def failed(outcome: Outcome) -> str:
    """What was not to be shown, a line each."""
    return "\n".join(one.says for one in outcome.observations if not one.holds)


def changed(name: str, part: str, *pairs: tuple[str, str], patience: float = 3.0) -> Outcome:
    """The outcome of *name* with the program of *part* changed."""
    one = experiment(name)
    source = next(program.source for program in one.programs if program.name == part)
    for before, after in pairs:
        assert before in source, (name, before)
        source = source.replace(before, after)
    return run(one, instead={part: source}, patience=patience)


class ReactorTests(FolderTestCase):
    def test_reactors(self) -> None:
        """Twisted's programs run on the reactor that was asked for."""
        source = "from twisted.internet import reactor\nprint(type(reactor).__module__)\n"
        program = Program("server", source + "# reactor.stop() is not needed\n", twisted=True)
        for name, module in (
            ("epoll", "twisted.internet.epollreactor"),
            ("lean", "twisted_lab.reactor"),
        ):
            with Stage({"server": program}, before=REACTORS[name]) as stage:
                stage.start("server").finish()
            self.assertEqual(stage.seen.server.output, (module,))


class BrokenTests(FolderTestCase):
    """Broken on purpose an observation changes, and the text with it."""

    def test_right(self) -> None:
        """As it is, all holds, with the lean reactor as with epoll."""
        for reactor in ("epoll", "lean"):
            outcome = run(experiment("stream-life"), reactor)
            self.assertEqual(failed(outcome), "")
            self.assertEqual(outcome.result, outcome.experiment.result)

    def test_wrong_server(self) -> None:
        """A server that does not wait for the client's end."""
        outcome = changed("stream-life", "server", ('if conn.recv(1024) == b"":', "if True:"))
        said = failed(outcome)
        self.assertIn("recv() at the server returned 6 bytes", said)
        self.assertIn("the server's last recv() returned 6 bytes", said)
        self.assertIn("This run does not show it", outcome.result)

    def test_lost_datagram(self) -> None:
        """A datagram that gets lost."""
        outcome = changed(
            "datagram-boundaries", "client", ('b"three", ', ""), ("sock.close()", "sock.close()")
        )
        said = failed(outcome)
        self.assertIn("server.py", said)
        self.assertIn(
            "5 sendtos of 3, 3, 0, 1400, 7 bytes", "\n".join(o.says for o in outcome.observations)
        )

    def test_all_datagrams_read(self) -> None:
        """A receiver with room loses nothing, and the text says so."""
        outcome = changed("udp-loss", "server", ("SO_RCVBUF, 8192", "SO_RCVBUF, 10_000_000"))
        self.assertIn("100 came: 0 were lost", failed(outcome))

    def test_no_half_close(self) -> None:
        """A client that closes both ways gets no answer."""
        outcome = changed("half-close", "client", ("sock.shutdown(socket.SHUT_WR)", "sock.close()"))
        self.assertIn("no direction was ended by itself", failed(outcome))
        self.assertIn("client.py ended with 1", failed(outcome))

    def test_stuck(self) -> None:
        """A program that does not go on is named, and ended."""
        outcome = changed("stream-life", "server", ("listener.accept()", "input()"), patience=1.0)
        self.assertIn("client.py did not end in 1 s", failed(outcome))

    def test_crash(self) -> None:
        """One that fails is told with its last words."""
        outcome = changed("stream-life", "client", ("import socket\n", "import nothing_there\n"))
        self.assertIn("No module named 'nothing_there'", failed(outcome))


class CommandTests(FolderTestCase):
    def study(self, *words: str) -> tuple[int, str, str]:
        return programs.run(*SOCKETLAB, "study", *words, cwd=str(self.folder))

    def test_list(self) -> None:
        """One experiment a line."""
        status, out, err = self.study("--list")
        self.assertEqual((status, err), (0, ""))
        lines = out.splitlines()
        self.assertGreaterEqual(len(lines), 21)
        self.assertRegex(lines[0], r"^ 1  stream-life +The life of a stream socket")

    def test_one(self) -> None:
        """One is told on the terminal."""
        status, out, err = self.study("half-close")
        self.assertEqual((status, err), (0, ""))
        self.assertIn("shutdown(SHUT_WR)", out)
        self.assertIn("ok  the answer was apple, fig, pear", out)

    def test_unknown(self) -> None:
        """What there is not is one sentence."""
        status, out, err = self.study("nothing")
        self.assertEqual((status, out), (1, ""))
        self.assertRegex(err, r"^socketlab study: no experiment 'nothing'; there are: .*\n$")

    def test_files(self) -> None:
        """A report and a notebook, with pictures beside it."""
        status, out, err = self.study("1", "4", "--html", "r.html", "--markdown", "n.md")
        self.assertEqual((status, out), (0, ""))
        self.assertIn("as was to be shown", err)
        names = sorted(one.name for one in self.folder.iterdir())
        self.assertEqual(
            names, ["n-datagram-boundaries-1.svg", "n-stream-life-1.svg", "n.md", "r.html"]
        )

    def test_save(self) -> None:
        """The programs as files, which run; what is there is not written over."""
        status, out, _ = self.study("stream-life", "--save", "here")
        self.assertEqual(status, 0)
        self.assertEqual(len(out.splitlines()), 3)
        source = (self.folder / "here" / "server.py").read_text()
        self.assertEqual(source, experiment("1").programs[0].source)
        status, _, err = self.study("stream-life", "--save", "here")
        self.assertEqual(status, 1)
        self.assertIn("File exists", err)


ECHO = """
import socket, sys, threading

def serve(conn):
    with conn:
        while data := conn.recv(4096):
            conn.sendall(data)

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, peer = listener.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
"""


class GradeTests(FolderTestCase):
    def grade(self, *words: str) -> tuple[int, str, str]:
        return programs.run(*SOCKETLAB, "study", *words, cwd=str(self.folder))

    def write(self, name: str, source: str) -> Path:
        path = self.folder / name
        path.write_text(source)
        return path

    def test_one(self) -> None:
        """A right program passes; one that loses what comes behind a FIN does not, and why."""
        self.write("right.py", ECHO)
        status, out, err = self.grade("half-close", "--grade", "right.py")
        self.assertEqual((status, err), (0, ""), out)
        self.assertRegex(out, r"^right\.py: passed \(\d+ ok")
        self.write(
            "wrong.py", ECHO.replace("while data := conn.recv(4096)", "if data := conn.recv(4096)")
        )
        status, out, err = self.grade("half-close", "--grade", "wrong.py", "--html", "w.html")
        self.assertEqual((status, err), (1, ""))
        self.assertRegex(out, r"wrong\.py: not passed \(.*failed")
        self.assertIn("H02 failed", out)
        self.assertIn("<svg", (self.folder / "w.html").read_text())

    def test_many(self) -> None:
        """A class in one table, with who did not get that far."""
        (self.folder / "class").mkdir()
        self.write("class/anna.py", ECHO.replace("conn.sendall(data)", "conn.sendall(data[::-1])"))
        self.write("class/bert.py", "raise SystemExit('<b>I give up</b>')\n")
        words = ("framing", "--many", "class", "--html", "class.html")
        status, out, _ = self.grade(*words)
        self.assertEqual(status, 1)
        self.assertEqual(out.splitlines()[-1], "0 of 2 programs passed")
        self.assertRegex(out, r"anna\.py +not passed")
        made = (self.folder / "class.html").read_text()
        self.assertIn("I give up", made)
        self.assertNotIn("<b>I give", made)

    def test_wrong(self) -> None:
        """One sentence for what cannot be graded."""
        self.write("right.py", ECHO)
        for words, said in (
            (("nagle", "--grade", "right.py"), "nagle has no exercise; those that have one: "),
            (("framing", "--grade", "none.py"), "'none.py': no such file"),
            (("framing", "--many", "none"), "'none': No such file or directory"),
            (("framing", "--many", "."), ""),
        ):
            if said:
                status, out, err = self.grade(*words)
                self.assertEqual((status, out), (1, ""))
                self.assertIn(said, err)


class PageTests(BrowserTestCase, FolderTestCase):
    def setUp(self) -> None:
        FolderTestCase.setUp(self)
        BrowserTestCase.setUp(self)

    def test_report(self) -> None:
        """A report opens at either width without an error, and asks for nothing outside."""
        outcomes = [run(experiment(name)) for name in ("stream-life", "fin-and-rst", "four-ways")]
        file = self.folder / "report.html"
        file.write_text(page(outcomes, "today"))
        shown = self.context.new_page()
        asked: list[str] = []
        shown.on("pageerror", lambda error: self.errors.append(str(error)))
        shown.on("console", lambda line: self.errors.append(line.text))
        shown.on("request", lambda request: asked.append(request.url))
        for size in (WIDE, NARROW):
            shown.set_viewport_size(size)  # type: ignore[arg-type]
            shown.goto(file.as_uri())
            wide = shown.evaluate("document.documentElement.scrollWidth")
            self.assertLessEqual(wide, size["width"])
            for one in outcomes:
                section = shown.locator(f"section#{one.experiment.name}")
                expect(section.locator("svg:visible").first).to_be_visible()
                said = section.locator(".observations li").all_inner_texts()
                self.assertEqual(len(said), len(one.observations))
        self.check_errors()
        self.assertEqual(set(asked), {file.as_uri()})
        self.assertEqual(re.findall(r"https?://(?!www\.w3\.org)", file.read_text()), [])
