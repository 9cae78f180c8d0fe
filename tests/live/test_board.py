"""The one model among threads."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from tests.live.views import entries, model
from twisted_lab.live.board import Board
from twisted_lab.live.keyboard import Action
from twisted_lab.live.model import arrived


class BoardTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wakes = 0
        self.board = Board(model(), self.wake)

    def wake(self) -> None:
        self.wakes += 1

    def test_taken_once(self) -> None:
        """A model is shown once; what has not changed is not shown again."""
        self.assertIsNotNone(self.board.take())
        self.assertIsNone(self.board.take())
        self.board.change(lambda model: model)
        self.assertEqual((self.board.take(), self.wakes), (None, 0))

    def test_wakes_once(self) -> None:
        """Many changes between two pictures wake the screen once, and it shows the last."""
        self.board.take()
        for number in range(5):
            self.board.change(lambda model, number=number: arrived(model, entries(number)))
        self.assertEqual(self.wakes, 1)
        taken = self.board.take()
        assert taken is not None
        self.assertEqual(taken.data.arrived, 5)

    def test_press(self) -> None:
        """A key changes what is shown, and says what else is to be done."""
        self.board.take()
        self.assertEqual(self.board.press("enter"), Action("open", "c2"))
        self.assertIsNotNone(self.board.take())
        self.board.change(lambda model: replace(model, said="x"))
        self.assertEqual(self.board.model.said, "x")

    def test_failure(self) -> None:
        """A thread that failed ends the program, not itself alone."""
        self.board.failed(ValueError("a bug"))
        self.assertEqual(self.wakes, 1)
        self.assertRaises(ValueError, self.board.take)
