"""From a profile's name and an endpoint to a report: what the command, pytest and programs call."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

from twisted_lab.conformance.case import Case, Trait
from twisted_lab.conformance.cases import catalogue
from twisted_lab.conformance.custom import EXAMPLES, example, read_profile
from twisted_lab.conformance.exam import CannotReach, Exam, Result, traits_of
from twisted_lab.conformance.probe import Pace
from twisted_lab.conformance.profiles import PROFILES, Profile
from twisted_lab.conformance.report import Report, merged
from twisted_lab.conformance.spawning import PORT, SPAWNED, Spawned, Watcher
from twisted_lab.conformance.target import Limits, Server, Trust, resolve
from twisted_lab.conformance.verdicts import Failed
from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape


def no_word(*_: object) -> None:
    """Who wants to be told nothing."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which cases: those whose id, title or bug one of the globs *only* names, less *skip*."""

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()

    def takes(self, case: Case) -> bool:
        """Whether *case* is among them."""
        return (not self.only or _named(case, self.only)) and not _named(case, self.skip)


def _named(case: Case, globs: Iterable[str]) -> bool:
    names = (case.id.lower(), case.title.lower(), case.bug)
    return any(fnmatchcase(name, glob.lower()) for glob in globs for name in names)


@dataclass(frozen=True, slots=True)
class Plan:
    """How to check: everything but the profile and the server. *seed* None takes a random one."""

    choice: Choice = Choice()
    limits: Limits = field(default_factory=Limits)
    trust: Trust = field(default_factory=Trust)
    slow: float = 1.0
    seed: int | None = None
    repeat: int = 1
    public: bool = False


def find_profile(name: str) -> Profile:
    """The profile *name*: one that is built in, one that comes as a file, or a ``.toml`` file.

    Raises :class:`ConfigurationError`.
    """
    file = name.removeprefix("custom:")
    if file != name or name.endswith(".toml"):
        return read_profile(Path(file))
    if name in PROFILES:
        return PROFILES[name]
    if name in EXAMPLES:
        return example(name)
    known = ", ".join((*PROFILES, *EXAMPLES))
    raise ConfigurationError(
        f"there is no profile '{escape(name)}'; there are {known}, and FILE.toml for your own"
    )


def cases_of(
    profile: Profile, traits: Iterable[frozenset[Trait]], choice: Choice = Choice()
) -> list[Case]:
    """The cases for a server that has one of *traits*, in the catalogue's order.

    Raises :class:`ConfigurationError` for a glob that names none.
    """
    suiting = [
        case for case in catalogue() if any(case.suits(profile.name, each) for each in traits)
    ]
    for glob in (*choice.only, *choice.skip):
        if not any(_named(case, (glob,)) for case in catalogue()):
            raise ConfigurationError(f"'{escape(glob)}' names no case; --list shows them")
    return [case for case in suiting if choice.takes(case)]


#: One server of each kind, for who asks which cases there are before there is a server.
KINDS = tuple(Server(kind, "127.0.0.1") for kind in ("tcp", "tls", "udp", "unix"))


def case_ids(profile: str, transport: str = "tcp") -> list[str]:
    """The ids of the cases for a server over *transport*: ``tcp``, ``tls``, ``udp``, ``unix``.

    For ``pytest.mark.parametrize``. Raises :class:`ConfigurationError`.
    """
    found = find_profile(profile)
    servers = [server for server in KINDS if server.kind == transport]
    if not servers:
        raise ConfigurationError(f"'{escape(transport)}': expected tcp, tls, udp or unix")
    return [case.id for case in cases_of(found, [traits_of(servers[0], found)])]


def examine(
    profile: Profile,
    endpoint: str,
    plan: Plan = Plan(),
    *,
    spawn: str | None = None,
    name: str | None = None,
    begin: Callable[[int], object] = no_word,
    tell: Callable[[Result], object] = no_word,
    watcher: Watcher | None = None,
) -> Report:
    """Check the server at *endpoint*, or the one that the command *spawn* starts there.

    In both ``{port}`` stands for a port that is free. *begin* hears how many cases there are,
    *tell* each result as it comes; *watcher* looks at what is started. A server that is not there
    makes a report, too; raises :class:`ConfigurationError` for what cannot be meant.
    """
    plan = plan if plan.seed is not None else replace(plan, seed=_random_seed())
    if spawn is None and PORT in endpoint:
        raise ConfigurationError(f"'{escape(endpoint)}': {PORT} is for --spawn")

    def at(port: int) -> Server:
        text = endpoint.replace(PORT, str(port))
        secure = profile.name == "tls"
        return resolve(
            text, limits=plan.limits, trust=plan.trust, public=plan.public, secure=secure
        )

    if spawn is None:
        report = _examine(profile, at, plan, None, begin, tell)
        return replace(report, name=name or str(at(0)))
    environment = {} if watcher is None else watcher.environment
    with nullcontext() if watcher is None else watcher:
        with Spawned(spawn, at, plan.slow, environment) as process:
            report = _examine(profile, at, plan, process, begin, tell)
        diagnoses = () if watcher is None else watcher.findings()
    shown = name or escape(spawn)
    return replace(report, name=shown, said=process.said, diagnoses=diagnoses)


def _random_seed() -> int:
    return random.SystemRandom().randrange(2**32)


def _examine(
    profile: Profile,
    at: Callable[[int], Server],
    plan: Plan,
    process: Spawned | None,
    begin: Callable[[int], object],
    tell: Callable[[Result], object],
) -> Report:
    """A report that has no name yet, of the server *at* a port, or of the one of *process*."""
    assert plan.seed is not None
    began = time.monotonic()
    try:
        server = at(0) if process is None else process.start()
        chosen = cases_of(profile, [traits_of(server, profile)], plan.choice)
        if not chosen:
            raise ConfigurationError(
                f"no case of the profile {profile.name} is for {server.kind}"
                + (", and among those chosen" if plan.choice != Choice() else "")
            )
        begin(len(chosen) * plan.repeat)
        runs = []
        for number in range(plan.repeat):
            pace = Pace(plan.slow, plan.seed + number)
            exam = Exam(server, profile, chosen, pace=pace, tell=tell, process=process)
            results = exam.run()
            server = exam.server
            seconds = time.monotonic() - began
            runs.append(Report("", profile.name, results, seconds, plan.seed))
            began = time.monotonic()
    except (Failed, CannotReach) as error:
        return Report("", profile.name, seed=plan.seed, wrong=str(error))
    return merged(runs)


def check(
    profile: str,
    endpoint: str = "",
    *,
    only: str | Iterable[str] = (),
    skip: str | Iterable[str] = (),
    spawn: str | None = None,
    idle_timeout: float | None = None,
    handshake_timeout: float | None = None,
    max_line: int | None = None,
    insecure: bool = False,
    cafile: str | None = None,
    sni: str | None = None,
    slow: float = 1.0,
    seed: int | None = None,
    repeat: int = 1,
    i_may_test_this: bool = False,
    watcher: Watcher | None = None,
) -> Report:
    """Check a server, as ``socketlab check`` does; the options are the command's.

    *only* and *skip* are globs. *endpoint* may be left out with *spawn*, whose server *watcher*
    looks at (:class:`twisted_lab.watch.alongside.Alongside`). Blocks until all is done;
    times are in seconds, *max_line* in bytes. Raises :class:`ConfigurationError` for bad options;
    a server that is not there, or wrong, makes a report: see :meth:`Report.raise_if_failed`.
    """
    plan = Plan(
        Choice(_globs(only), _globs(skip)),
        Limits(idle_timeout, handshake_timeout, max_line),
        Trust(insecure, cafile, sni),
        slow,
        seed,
        repeat,
        i_may_test_this,
    )
    if not endpoint:
        if spawn is None:
            raise ConfigurationError("expected an endpoint, or spawn")
        endpoint = SPAWNED
    return examine(find_profile(profile), endpoint, plan, spawn=spawn, watcher=watcher)


def _globs(given: str | Iterable[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)
