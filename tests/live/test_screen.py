"""The whole screen: what stands where, at every size."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from twisted.trial.unittest import SynchronousTestCase

from tests.live.fake_bench import connection, entry, service, talk
from tests.live.views import entries, model, now, opened
from twisted_lab.live import values
from twisted_lab.live.closeup import whole_ladder
from twisted_lab.live.glyphs import ASCII, UNICODE
from twisted_lab.live.model import Asking, Away, Model, arrived, looked
from twisted_lab.live.opened import Opened
from twisted_lab.live.screen import HELP, lines, screen

SIZES = ((80, 24), (120, 40), (40, 20), (20, 8), (10, 3), (3, 2), (1, 1), (300, 100))


def looking_at(shown: Model, conversation: Opened) -> Model:
    return replace(shown, data=replace(shown.data, opened=conversation))


class ScreenTestCase(SynchronousTestCase):
    def shown(self, shown: Model, width: int = 80, height: int = 24) -> list[str]:
        return [line.plain.rstrip() for line in lines(shown, width, height, UNICODE)]

    def line_with(self, text: str, shown: Model, width: int = 80) -> str:
        (found,) = [line for line in self.shown(shown, width) if text in line]
        return found


class SizeTests(ScreenTestCase):
    def test_every_size(self) -> None:
        """Whatever is shown, at any size it is exactly as many lines, none too wide."""
        crowd = [connection(number) for number in range(200, 0, -1)]
        busy = arrived(model(*crowd), entries(*range(500)))
        ladder = looking_at(busy, opened(*(entry(n) for n in range(99))))
        models = [
            model(),
            busy,
            ladder,
            looking_at(busy, opened(entry(1), about=talk(1))),
            looking_at(busy, Opened("c9")),
            replace(busy, help=True),
            replace(busy, typing=True, filter="x" * 60),
            replace(busy, asking=Asking("close", "c1")),
            replace(ladder, scroll=5, asking=Asking("reset", "c1")),
            replace(busy, away=Away("x" * 300, 1.0), stale="y" * 300, said="z" * 300),
        ]
        for shown in models:
            for width, height in SIZES:
                for glyphs in (UNICODE, ASCII):
                    found = lines(shown, width, height, glyphs)
                    self.assertEqual(len(found), height)
                    self.assertTrue(all(cell_len(each.plain) <= width for each in found))

    def test_no_markup(self) -> None:
        """What looks like rich's markup is shown as it is, through a console too."""
        said = "[bold red]x[/] [link=http://evil]y[/link] :smile:"
        shown = arrived(model(connection(1, peer="[red]a[/]")), entries(1, says=said))
        console = Console(record=True, width=120, height=40, markup=True, file=_Nowhere())
        console.print(screen(shown, 120, 40, UNICODE))
        text = console.export_text()
        self.assertIn(said, text)
        self.assertIn("[red]a[/]", text)

    def test_without_colour(self) -> None:
        """Without colour every word is still there."""
        shown = replace(arrived(model(), entries(1)), away=Away("gone", 1.0))
        console = Console(record=True, width=120, height=40, no_color=True, file=_Nowhere())
        console.print(screen(shown, 120, 40, UNICODE))
        text = console.export_text(styles=False)
        for word in ("LOST", "reset", "open", "received", "▸ c2"):
            self.assertIn(word, text)


class _Nowhere:
    """A file for what is printed."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        pass


class TableScreenTests(ScreenTestCase):
    def test_parts(self) -> None:
        """Services with live counts, connections, datagram peers and the last events are there."""
        found = self.shown(arrived(model(), entries(1, says="it came")))
        self.assertEqual(found[0], "socketlab 0.1.0 http://127.0.0.1:9002  1 open, 1 closed  live")
        self.assertEqual(found[1], "echo 1 open of 4  line 1 open of 4")
        self.assertTrue(found[2].startswith("  id     service  peer"))
        self.assertTrue(found[3].startswith("▸ c2     echo     127.0.0.1:50002"))
        self.assertIn("reset", found[4])
        self.assertTrue(any(line.startswith("  d1 ") for line in found))
        self.assertTrue(any('"hello" it came' in line for line in found))
        self.assertIn("q quit", found[-1])

    def test_states(self) -> None:
        """Whether it is live, paused, old or lost is said in words."""
        paused = arrived(replace(model(), frozen=model().data), entries(*range(230)))
        for shown, word in (
            (paused, "PAUSED, 230 events since"),
            (replace(model(), stale="no answer"), "OLD COUNTS: no answer"),
            (replace(model(), away=Away("refused", 1.0)), "LOST: refused"),
        ):
            self.assertIn(word, self.shown(shown, 120)[0])
            self.assertIn(word.split()[0].strip(","), self.shown(shown, 40)[0])

    def test_chosen_in_sight(self) -> None:
        """However far down one goes, what is chosen is on the screen."""
        crowd = model(*[connection(number) for number in range(200, 0, -1)])
        for chosen in ("c200", "c101", "c1", "d1"):
            self.assertIn(f"▸ {chosen}", "\n".join(self.shown(replace(crowd, chosen=chosen))))

    def test_not_listed(self) -> None:
        """What is not listed, and why, is on the line below."""
        crowd = looked(model(), now(connection(2), closed=10_430, forgotten=77))
        found = self.line_with("listed", replace(crowd, filter="50002", service="echo"), 120)
        for part in (
            "service echo",
            "filter 50002",
            "1 of 10,431 connections listed",
            "77 older ones forgotten",
        ):
            self.assertIn(part, found)

    def test_none(self) -> None:
        """An empty table says so."""
        self.assertIn("  none yet", self.shown(looked(model(), now())))
        self.assertIn("  none", self.shown(replace(model(), filter="nothing")))

    def test_many_services(self) -> None:
        """Services that have no room are counted; one that does not serve is named so."""
        names = [values.service(service(f"service-{n}")) for n in range(20)]
        shown = replace(now(connection(1)), services=tuple(names))
        found = self.shown(looked(model(), shown), 60)
        self.assertRegex(" ".join(found[1:3]), r"service-0 1 open.*\+1\d more$")
        stopped = replace(shown, services=(values.service(service(state="suspended")),))
        self.assertIn("suspended", self.shown(looked(model(), stopped))[1])

    def test_chosen_service(self) -> None:
        """The service that is shown alone stands in brackets."""
        self.assertIn("[line] 1 open", self.shown(replace(model(), service="line"))[1])

    def test_datagrams_named(self) -> None:
        """A datagram's event has the id of its peer, once that is known."""
        event = entry(1, "datagram-received", connection="", peer="127.0.0.1:40001")
        self.assertIn(
            " d1 ", self.line_with("datagram-received", arrived(model(), [values.entry(event)]))
        )

    def test_last_line(self) -> None:
        """The last line asks, shows what is typed, says what happened, else names the keys."""
        for shown, text in (
            (
                replace(model(), asking=Asking("reset", "c2")),
                "reset c2? y/n (echo, 127.0.0.1:50002)",
            ),
            (replace(model(), typing=True, filter="abc"), "filter: abc_"),
            (replace(model(), said="c1 is closed already"), "c1 is closed already"),
        ):
            self.assertEqual(self.shown(shown)[-1], text)

    def test_help(self) -> None:
        """The help names every key, at 80 x 24 and at 40 x 20."""
        for width, height in ((80, 24), (40, 20)):
            found = self.shown(replace(model(), help=True), width, height)
            for keys, _ in HELP:
                self.assertTrue(any(line.startswith(f" {keys}") for line in found), keys)


class LadderScreenTests(ScreenTestCase):
    def test_head(self) -> None:
        """Above a ladder stands who it is, what moved, and whose lifelines these are."""
        about = connection(
            1, state="closed", reason="reset", detail="why", duration=2.5, opened_ns=0
        )
        found = self.shown(looking_at(model(), opened(entry(1), about=about)))
        self.assertEqual(found[1], "c1 echo  tcp  closed reset  why")
        self.assertEqual(found[2], "5 bytes in, 5 bytes out, 2.5 s")
        self.assertRegex(found[3], r"^ {12}127\.0\.0\.1:50001 +127\.0\.0\.1:9000$")
        self.assertIn('5 bytes "hello"', found[4])
        self.assertIn("Escape back", found[-1])

    def test_moving(self) -> None:
        """While bytes move, how fast stands with them."""
        conversation = opened(entry(1))
        about = conversation.about
        assert isinstance(about, values.Connection)
        shown = looking_at(model(), replace(conversation, about=replace(about, rate_in=2048.0)))
        self.assertIn("; now 2,048 B/s in, 0 B/s out", self.shown(shown)[2])

    def test_narrow(self) -> None:
        """Where addresses have no room above their lifelines, the peer's stands in the title."""
        about = connection(1, peer="[2001:db8::1]:50001")
        found = self.shown(looking_at(model(), opened(entry(1), about=about)), 40, 20)
        self.assertEqual(found[1], "c1 echo  tcp  open  [2001:db8::1]:50001")
        self.assertEqual(found[3].split(), ["peer", "bench"])

    def test_datagrams(self) -> None:
        """A datagram peer has its own counts."""
        found = self.shown(looking_at(model(), opened(entry(1, "datagram-sent"), about=talk(1))))
        self.assertEqual(found[1], "d1 echo  datagrams")
        self.assertIn("3 datagrams in, 2 out, 1 dropped", found[2])

    def test_end_in_sight(self) -> None:
        """A long ladder shows its end, or what one scrolled to."""
        events: list[dict[str, Any]] = [entry(n, bytes=n) for n in range(100)]
        shown = looking_at(model(), opened(*events))
        self.assertIn(" 99 bytes", self.shown(shown)[-2])
        self.assertIn(" 89 bytes", self.shown(replace(shown, scroll=10))[-2])
        self.assertIn(" 0 bytes", self.shown(replace(shown, scroll=999))[4])

    def test_asking(self) -> None:
        """Until the bench has told of it, that is said; and why it could not."""
        self.assertIn(" c9: asking the bench", self.shown(looking_at(model(), Opened("c9"))))
        trouble = Opened("c9", trouble="no connection 'c9' is open or kept")
        self.assertIn(
            " c9: no connection 'c9' is open or kept", self.shown(looking_at(model(), trouble))
        )

    def test_whole(self) -> None:
        """Printed once, a ladder is there from its begin to its end."""
        found = list(whole_ladder(opened(*(entry(n) for n in range(100))), 80, UNICODE))
        self.assertEqual(len(found), 103)
        self.assertEqual(list(whole_ladder(Opened("c9"), 80, UNICODE)), [])
