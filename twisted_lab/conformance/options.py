"""What ``socketlab check`` takes, and what does not go together."""

from __future__ import annotations

from collections.abc import Callable

from twisted.python import usage

from twisted_lab import units
from twisted_lab.command_line import CommandOptions
from twisted_lab.conformance.bugs import BUGS
from twisted_lab.conformance.checking import Choice, Plan, find_profile
from twisted_lab.conformance.profiles import PROFILES, Profile
from twisted_lab.conformance.spawning import SPAWNED
from twisted_lab.conformance.target import Limits, Trust
from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape

_UNITS: dict[str, Callable[[str], float]] = {
    "idle-timeout": units.seconds,
    "handshake-timeout": units.seconds,
    "max-line": units.count_of_bytes,
    "slow": units.rate,
    "seed": units.count,
    "repeat": units.count,
}


class CheckOptions(CommandOptions):
    """What ``socketlab check`` takes."""

    synopsis = (
        "Usage: socketlab check PROFILE ENDPOINT [options]\n"
        "       socketlab check PROFILE [ENDPOINT] --spawn 'python my_server.py {port}'\n"
        "       socketlab check PROFILE --many FILE.toml\n"
        "       socketlab check [PROFILE] --list\n"
        "       socketlab check --explain BUG"
    )
    longdesc = (
        f"PROFILE is one of {', '.join(PROFILES)}, an example (http, redis, smtp), or FILE.toml "
        "with your own. ENDPOINT is a port on this machine, HOST:PORT, tcp:HOST:PORT, "
        "tls:HOST:PORT, udp:HOST:PORT or unix:/path. Nothing else is contacted."
    )
    optFlags = [  # noqa: RUF012
        ["list", None, "show the cases of the profile, or of all, and check nothing"],
        ["quiet", None, "show failures and the sum alone"],
        ["wire", None, "show what went over the wire in every case"],
        ["insecure", None, "TLS: take any certificate"],
        ["watch", None, "with --spawn, of a server in Python: name its mistakes, with their lines"],
        ["i-may-test-this", None, "the address is public, and its owner agrees"],
    ]
    optParameters = [  # noqa: RUF012
        ["spawn", None, None, "start this server, {port} being a free port, and end it"],
        ["many", None, None, "check the servers that this TOML file names, into one matrix"],
        ["idle-timeout", None, None, "the server's: it closes a connection idle for so long"],
        ["handshake-timeout", None, None, "the server's: so long may a TLS handshake take"],
        ["max-line", None, None, "the server's: it refuses longer lines (bytes)"],
        ["slow", None, "1", "multiply every time by this: for a debugger, or a slow machine"],
        ["seed", None, None, "a number that makes random bytes the same again"],
        ["repeat", None, "1", "run all so often; the worst verdict stands"],
        ["json", None, None, "write the results here; - is stdout"],
        ["junit-xml", None, None, "write JUnit XML here, for CI; - is stdout"],
        ["html", None, None, "write a page that stands alone here; - is stdout"],
        ["explain", None, None, "say what causes the bug of this name, and how it is mended"],
        ["cafile", None, None, "TLS: trust the certificates in this PEM file"],
        ["sni", None, None, "TLS: the name to ask for and to verify, if not the host's"],
    ]
    profile: Profile | None = None
    endpoint = ""
    plan: Plan

    def __init__(self) -> None:
        super().__init__()
        self._only: list[str] = []
        self._skip: list[str] = []
        self._words: tuple[str, ...] = ()

    def opt_only(self, glob: str) -> None:
        """Only cases of this id, title or bug: H01, 'H*', replies-lost; several with commas."""
        self._only += _split(glob, "only")

    def opt_skip(self, glob: str) -> None:
        """All but these."""
        self._skip += _split(glob, "skip")

    def parseArgs(self, *words: str) -> None:
        """A profile and an endpoint; postOptions() knows which are needed."""
        self._words = words

    def postOptions(self) -> None:
        """What does not go together is said now."""
        values = {name: self._value(name) for name in _UNITS}
        self.plan = Plan(
            Choice(tuple(self._only), tuple(self._skip)),
            Limits(values["idle-timeout"], values["handshake-timeout"], _whole(values["max-line"])),
            Trust(bool(self["insecure"]), self["cafile"], self["sni"]),
            values["slow"] or 1.0,
            _whole(values["seed"]),
            _whole(values["repeat"]) or 1,
            bool(self["i-may-test-this"]),
        )
        if self["explain"] is not None:
            if self["explain"] not in BUGS:
                known = ", ".join(BUGS)
                raise usage.UsageError(f"--explain '{escape(self['explain'])}': there are {known}")
            return
        self._settle_words()
        self._settle_files()

    def _value(self, name: str) -> float | None:
        if self[name] is None:
            return None
        try:
            return _UNITS[name](self[name])
        except ValueError as error:
            raise usage.UsageError(f"--{name} '{escape(self[name])}': {error}") from None

    def _settle_words(self) -> None:
        words = self._words
        if words:
            try:
                self.profile = find_profile(words[0])
            except ConfigurationError as error:
                raise usage.UsageError(str(error)) from None
        elif not self["list"]:
            raise usage.UsageError("expected a profile and an endpoint: check echo 127.0.0.1:7")
        if len(words) > 2:
            raise usage.UsageError(f"'{escape(words[2])}': a profile and an endpoint are all")
        if self["many"] is not None:
            if len(words) > 1 or self["spawn"] is not None:
                raise usage.UsageError("--many: its file says which servers, and how they start")
        elif len(words) > 1:
            self.endpoint = words[1]
        elif self["spawn"] is not None:
            self.endpoint = SPAWNED
        elif not self["list"]:
            raise usage.UsageError(f"expected the endpoint to check as {escape(words[0])}")

    def _settle_files(self) -> None:
        if self["watch"] and self["spawn"] is None and self["many"] is None:
            raise usage.UsageError("--watch: a server is watched that --spawn starts")
        if sum(self[name] == "-" for name in ("json", "junit-xml", "html")) > 1:
            raise usage.UsageError("'-': stdout takes one of --json, --junit-xml and --html")
        if self["insecure"] and self["cafile"]:
            raise usage.UsageError("--cafile: with --insecure nothing is verified")


def _split(globs: str, option: str) -> list[str]:
    found = [glob.strip() for glob in globs.split(",") if glob.strip()]
    if not found:
        raise usage.UsageError(f"--{option} '{escape(globs)}': expected a case, as H01 or 'H*'")
    return found


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
