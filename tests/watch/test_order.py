"""Records of several processes in the order of time."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.watch.order import InOrder


def call(ended: int) -> tuple[Any, ...]:
    return ("c", ended - 1, 1)


class InOrderTests(SynchronousTestCase):
    def test_order(self) -> None:
        """By the end of the call, whoever was read first."""
        found = InOrder().take([(1, call(30)), (2, call(10)), (1, call(40))], None)
        self.assertEqual([record[1] + 1 for _, record in found], [10, 30, 40])

    def test_later(self) -> None:
        """What is not over long enough waits for what may stand before it."""
        order = InOrder()
        self.assertEqual(order.take([(1, call(30))], 20), [])
        found = order.take([(2, call(25))], 40)
        self.assertEqual([pid for pid, _ in found], [2, 1])

    def test_places(self) -> None:
        """A record without a time stays before the call it was written before."""
        found = InOrder().take([(1, call(10)), (1, ("l", 0)), (1, call(20)), (2, call(5))], None)
        self.assertEqual([one[0] for _, one in found], ["c", "c", "l", "c"])
