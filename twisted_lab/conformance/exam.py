"""A run of many cases against one server: side by side where they may, and never rash.

Rule: what rests on time is not believed at once. Such a failure is looked at again, alone and
twice as patiently; if it is gone, or if this machine was late itself, the verdict is
could-not-tell.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace

from twisted_lab.conformance.case import Case, Needs, Place, Trait
from twisted_lab.conformance.lateness import Lateness
from twisted_lab.conformance.log import Conversation
from twisted_lab.conformance.probe import Pace, Probe, Process
from twisted_lab.conformance.profiles import Profile
from twisted_lab.conformance.target import Server
from twisted_lab.conformance.verdicts import (
    Failed,
    Finding,
    Unreachable,
    Verdict,
    could_not_tell,
    skipped,
)
from twisted_lab.errors import SocketlabError, summary
from twisted_lab.events import Closed, CloseReason

#: Cases that run side by side.
WORKERS = 8

#: So much of the patience may this machine be late itself, before it accuses nobody of slowness.
_LATE = 0.1

#: Seconds that a process may take to end after the connection that ends it, where it does not
#: seem so and where it does, and between two looks.
_DYING, _DYING_LONG, _STEP = 0.5, 3.0, 0.01

#: The bugs that a case waits for longest to see: it begins first.
_LONG = frozenset({"no-time-out", "endless-handshake"})

#: How much more patiently what rests on time is looked at again.
_AGAIN = 2.0


class CannotReach(SocketlabError):
    """The server does not answer at all, so there is nothing to check."""


@dataclass(frozen=True, slots=True)
class Result:
    """What *case* came to; *bug* is a key of ``bugs.BUGS``, or empty; *seconds* it took."""

    case: Case
    finding: Finding
    seconds: float = 0.0
    conversations: tuple[Conversation, ...] = ()

    @property
    def bug(self) -> str:
        """The bug's key, where it failed."""
        return (self.finding.bug or self.case.bug) if self.failed else ""

    @property
    def failed(self) -> bool:
        """It is an accusation."""
        return self.finding.verdict is Verdict.FAILED

    @property
    def was_reset(self) -> bool:
        """The server sent RST on one of its streams."""
        ends = [end for one in self.conversations for end in one.events[-1:]]
        return any(isinstance(end, Closed) and end.reason is CloseReason.RESET for end in ends)


def traits_of(server: Server, profile: Profile) -> frozenset[Trait]:
    """What *server* is, checked as *profile*."""
    kinds = {
        "tcp": {Trait.STREAM, Trait.TCP},
        "tls": {Trait.STREAM, Trait.TLS},
        "unix": {Trait.STREAM},
        "udp": {Trait.DATAGRAMS},
    }
    answers = server.kind == "udp" and profile.traits & {Trait.REPLIES, Trait.SPEAKS_FIRST}
    return profile.traits | kinds[server.kind] | ({Trait.ANSWERS} if answers else set())


class Exam:
    """*cases* against *server* as *profile*; *tell* is called with each result as it comes.

    *process* is the server's own, if we started it.
    """

    def __init__(
        self,
        server: Server,
        profile: Profile,
        cases: Iterable[Case],
        *,
        pace: Pace = Pace(),  # noqa: B008 - frozen
        tell: Callable[[Result], object] = lambda result: None,
        process: Process | None = None,
        workers: int = WORKERS,
    ) -> None:
        self.server = server
        self.profile = profile
        self.cases = list(cases)
        self.pace = pace
        self.results: list[Result] = []
        self._tell = tell
        self._process = process
        self._workers = workers
        self._single = False
        self._goes_on = True

    def run(self) -> list[Result]:
        """All cases, in the order of the catalogue; raises :class:`CannotReach`."""
        with Lateness() as self._lateness:
            self._look()
            able = [case for case in self.cases if self._is_able(case)]
            first = [case for case in able if case.place is Place.FIRST]
            for case in first:
                self._alone(case)
            if self.results and any(result.finding.timed for result in self.results):
                self._no_use([case for case in able if case not in first])
            else:
                self._rest([case for case in able if case not in first])
        order = {case.id: place for place, case in enumerate(self.cases)}
        self.results.sort(key=lambda result: order[result.case.id])
        return self.results

    def _rest(self, cases: Sequence[Case]) -> None:
        beside = [case for case in cases if not case.alone]
        suspects = self._side_by_side(sorted(beside, key=lambda case: case.bug not in _LONG))
        if suspects:
            self._ended(_DYING)  # or the first of them would be blamed for what another did
        for case, timed in suspects:
            self._alone(case, again=timed)
        for case in [case for case in cases if case.alone]:
            self._alone(case)

    def _no_use(self, cases: Sequence[Case]) -> None:
        """A server that does not answer fails everywhere, and each would wait for it."""
        for case in cases:
            self._done(Result(case, skipped("an answer to the first request, and none came")))

    # -- what can be run -------------------------------------------------------------------

    def _look(self) -> None:
        """Is there anybody, does he serve two at once, and go on after a reply?"""
        if self.server.kind == "udp":
            return
        probe = self._probe("look")
        try:
            with probe.connect():
                self._single = not self._serves(probe)
        except Failed as error:
            raise CannotReach(f"{self.server}: {error.reason}") from None
        self._goes_on = Trait.TAKES_MORE not in self.profile.traits or self._answers_twice(probe)

    @staticmethod
    def _answers_twice(probe: Probe) -> bool:
        """Nothing is known against a server that does not answer once: the cases will say."""
        try:
            with probe.connect() as wire:
                probe.exchange(wire)
                try:
                    probe.exchange(wire)
                except Failed as error:
                    return error.timed
        except Failed:
            return True
        return True

    @staticmethod
    def _serves(probe: Probe) -> bool:
        """One that serves one after the other is asked so, or our cases would hinder each other."""
        try:
            probe.alive()
        except Failed:
            return False
        return True

    def _is_able(self, case: Case) -> bool:
        missing = [need for need in case.needs if not self._has(need)]
        if missing:
            self._done(Result(case, skipped(" and ".join(missing))))
        return not missing

    def _has(self, need: Needs) -> bool:
        if need is Needs.SPAWN:
            return self._process is not None
        if need is Needs.TWO_AT_ONCE:
            return not self._single
        if need is Needs.GOES_ON:
            return self._goes_on
        return self.server.loopback and (need is not Needs.FORGE or os.geteuid() == 0)

    # -- running ---------------------------------------------------------------------------

    def _side_by_side(self, cases: Sequence[Case]) -> list[tuple[Case, bool]]:
        """Those that are to be looked at again, alone, and whether for time: else for an end."""
        suspects = dict[str, bool]()
        with ThreadPoolExecutor(1 if self._single else self._workers, "case") as pool:
            for future in as_completed([pool.submit(self._try, case) for case in cases]):
                result = future.result()
                # A process that ends resets its connections first, and may take more until then.
                wait = _DYING if result.was_reset else 0
                gone = result.finding.gone or self._ended(wait) is not None
                if gone or result.finding.timed:
                    suspects[result.case.id] = not gone
                else:
                    self._done(result)
        return [(case, suspects[case.id]) for case in self.cases if case.id in suspects]

    def _alone(self, case: Case, *, again: bool = False) -> None:
        """Run *case* by itself; what it lays to slowness must hold for twice as long."""
        if not self._there(case):
            return
        result = self._try(case, _AGAIN if again else 1.0)
        if result.finding.timed and not again and self._ended(_DYING) is None:
            result = self._try(case, _AGAIN)
        elif again and not result.failed and result.finding.verdict is not Verdict.COULD_NOT_TELL:
            said = f"beside other cases it failed, alone it did not: {result.finding.reason}"
            result = replace(result, finding=could_not_tell(said))
        if Needs.SPAWN not in case.needs:  # such a case ends it itself
            result = self._blame(result)
        self._done(result)

    def _blame(self, result: Result) -> Result:
        """An end of the server's process is what its case did."""
        dying = result.failed or result.was_reset
        wait = _DYING_LONG if result.finding.gone else _DYING if dying else 0
        if (how := self._ended(wait)) is None:
            return result
        said = f"the server's process ended: {how}"
        return replace(result, finding=Finding(Verdict.FAILED, said, "dies"))

    def _there(self, case: Case) -> bool:
        """The server takes connections; one of ours that does not is started again."""
        if self._ended() is None and self._reachable():
            return True
        if self._process is not None:
            if self._ended(_DYING_LONG) is None:
                self._process.stop()
            return self._restarted(case)
        if case.place is Place.LAST:
            return True
        said = "the server was gone by then: --spawn starts it again, and tells since when"
        self._done(Result(case, could_not_tell(said)))
        return False

    def _reachable(self) -> bool:
        if self.server.kind == "udp":
            return True
        try:
            self._probe("reach").connect(handshake=False).close()
        except Unreachable:
            return False
        return True

    def _try(self, case: Case, patience: float = 1.0) -> Result:
        began = time.monotonic()
        probe = self._probe(case.id, patience)
        finding = self._finding(case, probe)
        if finding.timed and (late := self._lateness.worst(began)) > _LATE * probe.patience:
            finding = could_not_tell(f"this machine was {late:.1f} s late itself: {finding.reason}")
        seconds = time.monotonic() - began
        self.server = probe.server  # a case may have started it anew
        return Result(case, finding, seconds, tuple(probe.log.conversations))

    def _probe(self, name: str, patience: float = 1.0) -> Probe:
        return Probe(
            self.server,
            self.profile,
            self._lateness,
            replace(self.pace, slow=self.pace.slow * patience),
            name,
            one_at_a_time=self._single,
            process=self._process,
        )

    @staticmethod
    def _finding(case: Case, probe: Probe) -> Finding:
        try:
            return case.run(probe)
        except Failed as error:
            return Finding(Verdict.FAILED, error.reason, error.bug, error.timed, error.gone)
        except Exception as error:  # ours, not the server's
            return could_not_tell(f"the case itself broke: {summary(error)}")

    # -- the server's process --------------------------------------------------------------

    def _ended(self, wait: float = 0) -> str | None:
        """How the server's process ended, if it did, or does in the next *wait* seconds."""
        if self._process is None:
            return None
        until = time.monotonic() + wait
        while (how := self._process.ended()) is None and time.monotonic() < until:
            time.sleep(_STEP)
        return how

    def _restarted(self, case: Case) -> bool:
        assert self._process is not None
        try:
            self.server = self._process.start()
        except Failed as error:
            said = f"the server ended before, and did not start again: {error.reason}"
            finding = could_not_tell(said)
            if case.place is Place.LAST:
                finding = Finding(Verdict.FAILED, said, "dies")
            self._done(Result(case, finding))
            return False
        return True

    def _done(self, result: Result) -> None:
        self.results.append(result)
        self._tell(result)
