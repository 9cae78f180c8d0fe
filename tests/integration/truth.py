"""What a watched program's record has of what strace saw of the same run.

Both look at one run: strace is started by ``socketlab watch``, and starts the program. A call of
Python's covers the system calls that began and ended within it, in its process: a sendall() covers
its sends. The last of them must have its result, or its errno; of a sendall() all of them together.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.integration.watched import Watched, watched
from twisted_lab.events import Call, Event
from twisted_lab.watch.strace.calls import Calls
from twisted_lab.watch.strace.lines import Lines
from twisted_lab.watch.wording import error_of

_IN = frozenset({"recv", "recvfrom", "recvmsg", "read", "readv"})
_OUT = frozenset({"send", "sendto", "sendmsg", "write", "writev", "sendfile"})

#: The system calls that a call of Python's may be made of; others are of its own name.
_MADE_OF = {
    "connect": {"connect", "getsockopt"},
    "connect_ex": {"connect", "getsockopt"},
    "fromfd": {"getsockname", "getsockopt"},
    "sendall": _OUT,
    **dict.fromkeys(("recv_into", "recvfrom_into", "recvmsg_into", *_IN), _IN),
    **dict.fromkeys(_OUT, _OUT),
}

#: What the hook itself asks the kernel, after a call: the names of a socket, and its tcp_info.
_OURS = frozenset({"getsockname", "getpeername", "getsockopt"})

#: What asks the network inside the C library.
_LOOK_UPS = frozenset({"getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr"})

#: What OpenSSL does inside these is its own: records, which have other sizes.
_TLS = frozenset({"do_handshake", "unwrap", "read", "write", "send", "sendall"})

#: ns by which the two clocks differ at most: a recording is dated in microseconds.
_CLOCK = 2000

#: ns after a close by the garbage collector in which the hook hears of it.
_SOON = 5_000_000


@dataclass(frozen=True, slots=True)
class System:
    """A system call on a socket, as strace saw it; times in ns of the recording."""

    process: int
    thread: int
    name: str
    began: int
    ended: int
    result: object
    error: int | None


@dataclass(slots=True)
class Truth:
    """How many system calls the program made on sockets, and how many a recorded call accounts for.

    *ours* counts what the hook asked for besides, *unseen* what is not visible, by why, *wrong*
    tells what should have been recorded.
    """

    total: int = 0
    covered: int = 0
    ours: int = 0
    unseen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Span:
    """A recorded call, in ns, with the system calls that it covers."""

    call: Call
    began: int
    ended: int
    #: Whether OpenSSL is in it.
    secured: bool = False
    of: list[System] = field(default_factory=list)


def truth_of(folder: Path, *program: str) -> tuple[Watched, Truth]:
    """Run *program* with both, and compare."""
    log = folder / "strace.log"
    words = ("strace", "-f", "-yy", "-xx", "-s", "64", "-o", str(log))
    forms = ("--absolute-timestamps=format:unix,precision:ns", "--syscall-times=ns")
    traced = "trace=network,read,write,close,clone,clone3,fork,vfork,dup,dup2,dup3,fcntl"
    seen = watched(
        *words, *forms, "--signal=none", "-e", traced, *program,
        options=("--quiet", "--by", "hook"),
    )  # fmt: skip
    return seen, _compare(_system_calls(log, seen.epoch), _spans(seen.events))


def _spans(events: list[Event]) -> list[_Span]:
    calls = [(one.call, one.ns) for one in events if one.call is not None]
    secured = {call.socket for call, _ in calls if call.name == "do_handshake"}
    return [
        _Span(
            call,
            ns - round(call.duration * 1e9),
            ns,
            secured=call.name in _TLS and call.socket in secured,
        )
        for call, ns in calls
    ]


def _system_calls(log: Path, epoch: int) -> list[System]:
    lines, calls = Lines(), Calls(epoch, "program")
    found = []
    for line in [*lines.take(log.read_text("ascii")), *lines.flush()]:
        for pid, record in calls.records(line):
            if record[0] == "c" and record[4] not in ("fromfd", "dup", "setblocking"):
                _, began, took, thread, name, _, _, result, error, *_ = record
                found.append(System(pid, thread, name, began, began + took, result, error))
    return found


def _compare(system: list[System], spans: list[_Span]) -> Truth:
    truth = Truth()
    for one in system:
        span = next((span for span in spans if _covers(span, one)), None)
        if span is None and one.name in _OURS:
            truth.ours += 1
            continue
        truth.total += 1
        if span is not None:
            span.of.append(one)
            truth.covered += 1
        elif why := _why_unseen(one, spans):
            truth.unseen[why] += 1
        else:
            truth.wrong.append(f"not recorded: {one}")
    truth.wrong += filter(None, map(_differs, spans))
    return truth


def _covers(span: _Span, one: System) -> bool:
    if not _within(span, one):
        return False
    return not span.secured and one.name in _MADE_OF.get(span.call.name, {span.call.name})


def _within(span: _Span, one: System) -> bool:
    in_time = span.began - _CLOCK <= one.began <= one.ended <= span.ended + _CLOCK
    return in_time and span.call.thread == one.thread


def _why_unseen(one: System, spans: list[_Span]) -> str | None:
    if any(span.secured and _within(span, one) for span in spans):
        return "OpenSSL"
    if any(span.call.name in _LOOK_UPS and _within(span, one) for span in spans):
        return "name look-up"
    if all(span.call.process != one.process for span in spans):
        return "before exec()"
    if one.name == "close" and any(_collected(span, one) for span in spans):
        return "garbage collector"
    return None


def _collected(span: _Span, one: System) -> bool:
    near = -_SOON < span.began - one.ended < _SOON
    return span.call.note == "collected" and span.call.process == one.process and near


def _differs(span: _Span) -> str | None:
    """How the result of *span* is none of its system calls'."""
    of, call = [one for one in span.of if one.name != "getsockopt"] or span.of, span.call
    if not of:
        return None
    last = of[-1]
    if call.error is not None:
        in_time = call.error == "timed out" and last.error is not None
        fine = in_time or last.error is None or error_of(last.error) == call.error
    elif call.name == "sendall":
        fine = sum(one.result for one in of if isinstance(one.result, int)) == _number(call.result)
    elif isinstance(last.result, int) and call.name in _IN | _OUT | {"recv_into", "socket"}:
        fine = last.error is None and last.result == _number(call.result)
    else:
        fine = last.error is None or call.name.startswith("connect")
    return None if fine else f"another result: {call} of {of}"


def _number(text: str | None) -> int:
    return int((text or "0").split(",")[0])


def python(file: Path) -> tuple[str, ...]:
    """The program in *file*, of this Python."""
    return sys.executable, os.fspath(file)
