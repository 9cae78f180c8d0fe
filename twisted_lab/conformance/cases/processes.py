"""What only the server's own process shows: descriptors, a restart, an end that was asked for."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from twisted_lab.conformance.case import Needs, Trait, case
from twisted_lab.conformance.probe import Probe, Process
from twisted_lab.conformance.verdicts import Failed, Finding, Severity, non_strict, ok

_SPAWN = (Needs.SPAWN,)
_TIMES = 100

#: Descriptors that may be more afterwards: a log, a cache.
_MAY_STAY = 10


def _process(probe: Probe) -> Process:
    assert probe.process is not None, "the case is skipped without one"
    return probe.process


@case(
    "P01",
    "Descriptors come back",
    does=f"{_TIMES} clients ask and close; a third of them send RST. Then the descriptors of the"
    " server's process are counted.",
    requires="As many as before, when all have gone.",
    source="close(2); getrlimit(2), RLIMIT_NOFILE",
    severity=Severity.GRAVE,
    bug="leaks",
    needs=_SPAWN,
    alone=True,
)
def descriptors(probe: Probe) -> Finding:
    """After some thousand clients accept() fails with EMFILE, for good."""
    pid = _process(probe).pid
    probe.alive()
    before = _count(pid)
    for number in probe.times(_TIMES):
        with probe.connect() as wire:
            if asked := probe.request(20):
                wire.send(asked)
            if number % 3 == 0:
                wire.reset()
    probe.alive()
    time.sleep(probe.quiet)  # the last of them may not have been accepted yet
    until = time.monotonic() + probe.patience
    while (more := _count(pid) - before) > _MAY_STAY and time.monotonic() < until:
        time.sleep(0.05)
    if more > _MAY_STAY:
        raise Failed(f"{more} descriptors more than before {number} clients", "leaks", timed=True)
    return ok(f"{number} clients came and went; {max(more, 0)} descriptors more than before")


def _count(pid: int) -> int:
    """Open descriptors of *pid* and its children (proc(5))."""
    pids = [pid]
    for one in pids:
        children = Path(f"/proc/{one}/task/{one}/children")
        pids += [int(child) for child in children.read_text().split()] if children.exists() else []
    return sum(len(os.listdir(f"/proc/{one}/fd")) for one in pids if os.path.exists(f"/proc/{one}"))


@case(
    "P02",
    "A restart under load",
    does="Ends the server while 20 clients are connected, and starts it again on the same port.",
    requires="It listens at once: connections in TIME_WAIT do not keep it from its port.",
    source="socket(7), SO_REUSEADDR; RFC 9293 3.6.1: TIME_WAIT",
    severity=Severity.SERIOUS,
    bug="cannot-restart",
    of=(Trait.TCP,),
    needs=_SPAWN,
    alone=True,
)
def restart(probe: Probe) -> Finding:
    """The server's end closes first, so TIME_WAIT stays on its side."""
    process = _process(probe)
    with probe.many(20 if not probe.one_at_a_time else 1) as wires:
        if Trait.REPLIES in probe.profile.traits:
            for wire in wires:
                probe.exchange(wire)
        process.stop()
        for wire in wires:  # its FIN first, then ours: with RST there would be no TIME_WAIT
            with suppress(Failed):
                wire.read_to_end()
    try:
        probe.server = process.start(same_port=True)
    except Failed as error:
        raise Failed(f"it did not start again: {error.reason}", "cannot-restart") from None
    probe.alive()
    return ok("it listened again at once, and answered")


@case(
    "P03",
    "It ends when it is asked to",
    does="Sends SIGTERM while a client is connected and says nothing.",
    requires="The process ends in 3 s; an operator would kill it after that.",
    source="signal(7), SIGTERM; systemd.kill(5)",
    severity=Severity.SLIGHT,
    bug="ignores-sigterm",
    needs=_SPAWN,
    alone=True,
)
def terminated(probe: Probe) -> Finding:
    """A thread that waits in recv() must not hold it up."""
    process = _process(probe)
    with probe.connect():
        began = time.monotonic()
        process.stop()
        took = time.monotonic() - began
    how = process.ended() or ""
    probe.server = process.start()
    if "SIGKILL" in how:
        return non_strict("it did not end on SIGTERM, and was killed")
    return ok(f"it ended in {took:.2f} s ({how})")
