"""Connections whose own address strace had not seen when they were made: the next call tells it."""

from __future__ import annotations

from typing import Any

from twisted_lab.watch.records import Key


class Nameless:
    """What their records have of them, by socket, until it is known."""

    def __init__(self) -> None:
        self._waiting: dict[Key, tuple[int, dict[str, Any]]] = {}

    def add(self, key: Key, made: int, more: dict[str, Any]) -> None:
        """The connection of *key* was *made* at so many ns; *more* is to have its addresses."""
        self._waiting[key] = made, more

    def learn(self, key: Key, names: dict[str, Any]) -> None:
        """The addresses of *key* are known."""
        if key in self._waiting:
            self._waiting.pop(key)[1].update(names)

    def first(self, since: int) -> int | None:
        """When the first was made after *since* that waits still; earlier ones do so in vain."""
        self._waiting = {key: one for key, one in self._waiting.items() if one[0] > since}
        return min((made for made, _ in self._waiting.values()), default=None)
