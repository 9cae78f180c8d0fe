"""What a case comes to: a verdict, the reason in one sentence, and the name of the bug.

This file owns the closed list of verdicts. A case returns a :class:`Finding`, or raises
:class:`Failed`; what the wire raises while a case runs (:mod:`twisted_lab.conformance.wire`) is a
failure, too, with the bug that the case names.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What is said of a server in one case; only ``failed`` is an accusation."""

    OK = "ok"
    #: It works for most clients, but not to the letter.
    NON_STRICT = "non-strict"
    #: A fact, without judgement.
    INFO = "info"
    FAILED = "failed"
    #: The case needs what there is not; the reason names it.
    SKIPPED = "skipped"
    #: The machine, or the server's other clients, may be to blame.
    COULD_NOT_TELL = "could-not-tell"
    #: None was declared, and none was met as long as we waited.
    NO_LIMIT = "no limit found"


class Severity(StrEnum):
    """How bad a failure is."""

    #: Data is lost, others are cut off, or the server can be misused against third parties.
    GRAVE = "grave"
    #: Some clients do not work, or one client costs the others dear.
    SERIOUS = "serious"
    #: A letter of a standard, or an unkindness to people.
    SLIGHT = "slight"


@dataclass(frozen=True, slots=True)
class Finding:
    """*verdict* with its *reason*, one sentence; *bug* is a key of ``bugs.BUGS``, if it failed.

    ``timed`` says that it rests on how long something took, so it is looked at again; ``gone``
    that the server took no new connection, or did not keep it.
    """

    verdict: Verdict
    reason: str
    bug: str = ""
    timed: bool = False
    gone: bool = False


def ok(reason: str) -> Finding:
    """As required."""
    return Finding(Verdict.OK, reason)


def info(reason: str) -> Finding:
    """A fact worth knowing."""
    return Finding(Verdict.INFO, reason)


def non_strict(reason: str) -> Finding:
    """It works, but not to the letter."""
    return Finding(Verdict.NON_STRICT, reason)


def no_limit(reason: str) -> Finding:
    """There was no limit as long as we waited, and none was declared."""
    return Finding(Verdict.NO_LIMIT, reason)


def skipped(needs: str) -> Finding:
    """*needs* is what was missing: ``--spawn``, ``a loopback address``."""
    return Finding(Verdict.SKIPPED, f"needs {needs}")


def could_not_tell(reason: str) -> Finding:
    """Neither well nor ill can be said."""
    return Finding(Verdict.COULD_NOT_TELL, reason)


class Failed(Exception):
    """The case failed: *reason* is one sentence; *bug* is a key of ``bugs.BUGS``, or the case's.

    *timed*: something took too long, or did not come at all, so a slow machine may be to blame.
    ``gone``: the server took no new connection, or did not keep it, so it may just have ended.
    """

    gone = False

    def __init__(self, reason: str, bug: str = "", *, timed: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.bug = bug
        self.timed = timed


class Silence(Failed):
    """Nothing came, or nothing was taken, as long as we waited."""

    def __init__(self, reason: str, bug: str = "") -> None:
        super().__init__(reason, bug, timed=True)


class Reset(Failed):
    """The server sent RST: what was on its way to us may be lost.

    Mostly it closed with data unread; a case that knows better says so.
    """


class Unreachable(Failed):
    """No connection could be made; *timed* when it took too long, and was not refused."""

    gone = True
