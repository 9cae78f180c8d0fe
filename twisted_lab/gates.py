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


class Gates:
    """The gate hooks of the policies installed; *broken* is told of a hook that raised.

    Policies with a true ``spares_loopback`` are not asked about loopback hosts, those with a true
    ``only_secure`` only about hosts that come to a TLS listener.
    """

    def __init__(self, broken: Callable[[Any, Exception], object]) -> None:
        self._broken = broken
        self.use(())

    def use(self, policies: Iterable[object]) -> None:
        """Take the gate hooks of *policies*, in their order, in place of those there were."""
        everyone = list(policies)
        # Made before it is needed, for an accept has no time for look-ups: by whether the host is
        # loopback, by whether it comes to TLS, in the order of GATE_HOOKS.
        self._hooks: list[list[tuple[tuple[Any, ...], ...]]] = [
            [
                tuple(
                    hooks_of([p for p in everyone if _concerns(p, loopback, secure)], name)
                    for name in GATE_HOOKS
                )
                for secure in (False, True)
            ]
            for loopback in (False, True)
        ]

    def enter(self, host: Host, secure: bool = False) -> Refusal | None:
        """The first gate that says no to *host*, or None: then it is in. *secure*: with TLS."""
        admit, entered, _left = self._hooks[host.loopback][secure]
        for hook in admit:
            try:
                refusal: Refusal | None = hook(host)
            except Exception as error:
                self._broken(hook, error)
                continue
            if refusal is not None:
                return refusal
        if entered:
            self._tell(self._hooks[host.loopback][secure][1], host)
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
