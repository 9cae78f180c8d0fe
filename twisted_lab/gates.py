"""The gates of a service: who gets in, and who is in.

Rule 1: a connection is counted (``entered``) after every gate let it in, and uncounted (``left``)
exactly once. Rule 2: a gate that raises is reported and removed, and lets everyone in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted_lab.addresses import Host
from twisted_lab.interfaces import Refusal

#: The hooks of :class:`twisted_lab.interfaces.Policy` that concern a host, not yet a stream.
GATE_HOOKS = ("admit", "entered", "left")


class Gates:
    """The gate hooks of the policies installed; *broken* is told of a hook that raised.

    Policies with a true ``spares_loopback`` are not asked about loopback hosts.
    """

    def __init__(self, broken: Callable[[Any, Exception], object]) -> None:
        self._broken = broken
        self._everywhere = dict.fromkeys(GATE_HOOKS, ())
        self._loopback = dict.fromkeys(GATE_HOOKS, ())
        self._settle()

    def _settle(self) -> None:
        # By host.loopback, in the order of GATE_HOOKS: an accept has no time for look-ups.
        self._hooks: dict[bool, list[tuple[Any, ...]]] = {
            False: [self._everywhere[hook] for hook in GATE_HOOKS],
            True: [self._loopback[hook] for hook in GATE_HOOKS],
        }

    def install(self, policy: object) -> None:
        """Add the gate hooks that *policy* has, after those already there."""
        tables: list[dict[str, Any]] = [self._everywhere]
        if not getattr(policy, "spares_loopback", False):
            tables.append(self._loopback)
        for name in GATE_HOOKS:
            if (hook := getattr(policy, name, None)) is not None:
                for table in tables:
                    table[name] = (*table[name], hook)
        self._settle()

    def remove(self, policy: object) -> None:
        """Take out every gate hook of *policy*."""
        tables: list[dict[str, Any]] = [self._everywhere, self._loopback]
        for table in tables:
            for name, hooks in table.items():
                table[name] = tuple(hook for hook in hooks if hook.__self__ is not policy)
        self._settle()

    def enter(self, host: Host) -> Refusal | None:
        """The first gate that says no to *host*, or None: then *host* is in."""
        admit, entered, _left = self._hooks[host.loopback]
        for hook in admit:
            try:
                refusal: Refusal | None = hook(host)
            except Exception as error:
                self._broken(hook, error)
                continue
            if refusal is not None:
                return refusal
        self._tell(entered, host)
        return None

    def leave(self, host: Host) -> None:
        """*host*, which was in, is gone."""
        self._tell(self._hooks[host.loopback][2], host)

    def _tell(self, hooks: tuple[Any, ...], host: Host) -> None:
        for hook in hooks:
            try:
                hook(host)
            except Exception as error:
                self._broken(hook, error)
