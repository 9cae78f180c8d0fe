"""The gates of a service: who gets in, and who is in.

Rule 1: a connection is counted (``entered``) after every gate let it in, and uncounted (``left``)
exactly once. Rule 2: a gate that raises is reported and removed, and lets everyone in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twisted_lab.addresses import Host
from twisted_lab.interfaces import Refusal

#: The hooks of :class:`twisted_lab.interfaces.Policy` that concern a host, not yet a stream.
GATE_HOOKS = ("admit", "entered", "left")


def hooks_of(policies: Iterable[object], name: str) -> tuple[Any, ...]:
    """The hooks called *name* that *policies* have."""
    return tuple(hook for policy in policies if (hook := getattr(policy, name, None)) is not None)


def _concerns(policy: object, loopback: bool, secure: bool) -> bool:
    spared = loopback and getattr(policy, "spares_loopback", False)
    return not spared and (secure or not getattr(policy, "only_secure", False))


def _acts_at_accept(policy: object) -> bool:
    return getattr(policy, "at_accept", False)


def _hooks_at(policies: list[object]) -> tuple[tuple[Any, ...], ...]:
    """Those of GATE_HOOKS, and the ``admit`` of the policies that do not act at accept."""
    named = hooks_of([p for p in policies if not _acts_at_accept(p)], "admit")
    return (*(hooks_of(policies, name) for name in GATE_HOOKS), named)


class Gates:
    """The gate hooks of the policies installed; *broken* is told of a hook that raised.

    Policies with a true ``spares_loopback`` are not asked about loopback hosts, those with a true
    ``only_secure`` only about hosts that come to a TLS listener. Those with a true
    ``at_accept``, which have no hook but ``admit``, are asked about who connects; the others about
    who it is for, where a PROXY header says that later.
    """

    def __init__(self, broken: Callable[[Any, Exception], object]) -> None:
        self._broken = broken
        self.use(())

    def use(self, policies: Iterable[object]) -> None:
        """Take the gate hooks of *policies*, in their order, in place of those there were."""
        everyone = list(policies)
        self._at_accept = hooks_of([p for p in everyone if _acts_at_accept(p)], "admit")
        # Made before it is needed, for an accept has no time for look-ups: by whether the host is
        # loopback, by whether it comes to TLS, in the order of GATE_HOOKS.
        self._hooks: list[list[tuple[tuple[Any, ...], ...]]] = [
            [
                _hooks_at([p for p in everyone if _concerns(p, loopback, secure)])
                for secure in (False, True)
            ]
            for loopback in (False, True)
        ]

    def count(self, policies: Iterable[object], guests: Iterable[tuple[Host, bool]]) -> None:
        """Tell *policies*, which are new, of the *guests* (host, secure) who are in already."""
        newcomers = list(policies)
        for host, secure in guests:
            concerned = (p for p in newcomers if _concerns(p, host.loopback, secure))
            self._tell(hooks_of(concerned, "entered"), host)

    def at_accept(self, host: Host) -> Refusal | None:
        """The first gate that says no to *host*, of those that can say so before a PROXY header."""
        return self._ask(self._at_accept, host)

    def enter(self, host: Host, secure: bool = False, named: bool = False) -> Refusal | None:
        """The first gate that says no to *host*, or None: then it is in.

        *secure*: with TLS. *named*: a PROXY header names it, and :meth:`at_accept` was asked.
        """
        admit, entered, _left, admit_named = self._hooks[host.loopback][secure]
        refusal = self._ask(admit_named if named else admit, host)
        if refusal is None and entered:
            self._tell(self._hooks[host.loopback][secure][1], host)
        return refusal

    def _ask(self, hooks: tuple[Any, ...], host: Host) -> Refusal | None:
        for hook in hooks:
            try:
                refusal: Refusal | None = hook(host)
            except Exception as error:
                self._broken(hook, error)
                continue
            if refusal is not None:
                return refusal
        return None

    def leave(self, host: Host, secure: bool = False) -> None:
        """*host*, which was in, is gone."""
        if left := self._hooks[host.loopback][secure][2]:
            self._tell(left, host)

    def _tell(self, hooks: tuple[Any, ...], host: Host) -> None:
        for hook in hooks:
            try:
                hook(host)
            except Exception as error:
                self._broken(hook, error)
