"""Each key does what the help says."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from tests.live.fake_bench import connection, entry
from tests.live.views import entries, model, opened
from twisted_lab.live.keyboard import LONGEST_FILTER, NO_TOKEN, Action, pressed
from twisted_lab.live.model import AROUND_LADDER, Asking, Model, arrived


class KeyboardTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.model = model()
        self.actions: list[Action] = []

    def press(self, *keys: str) -> Model:
        for key in keys:
            self.model, action = pressed(self.model, key)
            self.actions += [] if action is None else [action]
        return self.model


class ChoosingTests(KeyboardTestCase):
    def test_up_and_down(self) -> None:
        """Up and down, and k and j, go through connections and datagram peers, to both ends."""
        found = [self.press(key).chosen for key in ("down", "j", "down", "up", "k", "up")]
        self.assertEqual(found, ["c1", "d1", "d1", "c1", "c2", "c2"])
        self.assertEqual(self.press("end").chosen, "d1")
        self.assertEqual(self.press("home").chosen, "c2")
        self.assertEqual(self.press("page-down").chosen, "d1")
        self.assertEqual(self.press("page-up").chosen, "c2")

    def test_tab(self) -> None:
        """Tab goes between connections and datagram peers."""
        self.assertEqual([self.press("tab").chosen for _ in range(2)], ["d1", "c2"])

    def test_nothing_there(self) -> None:
        """On an empty bench no key does harm."""
        self.model = replace(self.model, filter="nothing", chosen=None)
        self.press("up", "down", "tab", "enter", "c", "r", "home", "p", "p", "s", "x")
        self.assertEqual((self.model.chosen, self.actions), (None, []))

    def test_open(self) -> None:
        """Enter opens the ladder, Escape and Backspace go back to the table."""
        for back in ("escape", "backspace"):
            self.press("enter")
            self.assertEqual(self.model.opened and self.model.opened.id, "c2")
            self.press("enter", back)
            self.assertIsNone(self.model.opened)
        self.assertEqual(self.actions, [Action("open", "c2"), Action("shut")] * 2)

    def test_scroll(self) -> None:
        """In a ladder up and down scroll."""
        data = replace(self.model.data, opened=opened(*(entry(n) for n in range(50))))
        self.model = replace(self.model, data=data, height=AROUND_LADDER + 10)
        found = [self.press(key).scroll for key in ("up", "page-up", "down", "home", "end")]
        self.assertEqual(found, [1, 11, 10, 40, 0])
        self.press("tab", "s", "/")
        self.assertEqual(
            (self.model.chosen, self.model.service, self.model.typing), ("c2", None, False)
        )


class ViewTests(KeyboardTestCase):
    def test_pause(self) -> None:
        """A paused view stays as it was while events come, and shows them when it goes on."""
        self.press("p")
        self.model = arrived(self.model, entries(1, 2))
        self.assertEqual(self.model.entries(), [])
        self.assertEqual(len(self.press("p").entries()), 2)

    def test_open_goes_on(self) -> None:
        """Opening a ladder from a paused table ends the pause."""
        self.press("p", "enter")
        self.assertIsNone(self.model.frozen)
        self.assertIsNotNone(self.model.opened)

    def test_service(self) -> None:
        """s shows one service after the other, then all."""
        found = [self.press("s").service for _ in range(4)]
        self.assertEqual(found, ["echo", "line", None, "echo"])

    def test_filter(self) -> None:
        """What is typed after / filters at once; Enter keeps it, Escape drops it."""
        self.press("/", *"reseq", "backspace", "t")
        self.assertEqual((self.model.filter, self.model.chosen), ("reset", "c1"))
        self.press("enter", "q")
        self.assertEqual(self.actions, [Action("quit")])
        self.assertEqual(self.press("/", "escape").filter, "")
        self.assertEqual(self.press("/", *"x", "enter", "escape").filter, "")

    def test_filter_bounded(self) -> None:
        """A filter has an end, and keys with names are no part of it."""
        self.press("/", *"x" * 100, "up")
        self.assertEqual(len(self.model.filter), LONGEST_FILTER)

    def test_help(self) -> None:
        """? shows the help, any key goes back."""
        self.assertTrue(self.press("?").help)
        self.assertFalse(self.press("x").help)
        self.press("?", "q")
        self.assertEqual(self.actions, [Action("quit")])

    def test_quit(self) -> None:
        """q quits; Ctrl-C quits whatever is open."""
        self.press("q")
        for before in ((), ("/",), ("c",), ("?",), ("enter",)):
            self.setUp()
            self.press(*before, "ctrl-c")
            self.assertEqual(self.actions[-1:], [Action("quit")])


class EndingTests(KeyboardTestCase):
    def test_asks(self) -> None:
        """Close and reset ask first, and only y does it."""
        for key, verb in (("c", "close"), ("r", "reset")):
            self.assertEqual(self.press(key).asking, Asking(verb, "c2"))
            for no in ("n", "escape", "enter", key):
                self.setUp()
                self.press(key, no)
                self.assertEqual((self.actions, self.model.said), ([], "c2 is left alone"))
            self.press(key, "y")
            self.assertEqual(self.actions, [Action(verb, "c2")])

    def test_the_one_asked_about(self) -> None:
        """It is done to the connection that the question names, whatever comes meanwhile."""
        self.press("r")
        self.model = replace(self.model, chosen="c1")
        self.press("y")
        self.assertEqual(self.actions, [Action("reset", "c2")])

    def test_in_ladder(self) -> None:
        """In a ladder it is the one that is looked at."""
        data = replace(self.model.data, opened=opened(about=connection(7)))
        self.model = replace(self.model, data=data)
        self.press("c", "y")
        self.assertEqual(self.actions, [Action("close", "c7")])

    def test_cannot(self) -> None:
        """A closed connection, a datagram peer and a missing token are said, not asked."""
        said = []
        for chosen, token in (("c1", True), ("d1", True), ("c2", False)):
            self.model = replace(self.model, chosen=chosen, token=token)
            said.append(self.press("c").said)
            self.assertIsNone(self.model.asking)
        self.assertEqual(said, ["c1 is closed already", "d1 has no connection to close", NO_TOKEN])
        self.assertEqual(self.press("x").said, "")
