"""The console command ``socketlab``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from twisted.logger import globalLogBeginner, textFileLogObserver
from twisted.python import usage

from twisted_lab import __version__
from twisted_lab.command_line import CommandOptions, run_command
from twisted_lab.escaping import escape

USAGE = """\
socketlab, the bench that tells the truth about sockets

  socketlab serve [options] [SERVICE [options]]   serve; the same as twistd -n socketlab ...
  socketlab serve --help                          its options and services
  socketlab watch [URL]                           the live view of a running bench
  socketlab watch -- PROGRAM                      every socket call of your own program
  socketlab connect ENDPOINT                      talk to a server, seeing every event
  socketlab check PROFILE ENDPOINT                what is wrong with a server, case by case
  socketlab study --list                          experiments: each call of sockets, run and drawn
  socketlab export FILE.jsonl --html FILE         a recording as a page; or as a picture (--svg),
                                                  or as packets for Wireshark (--pcapng)
  socketlab --version
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``socketlab`` with *arguments*; the exit status: 0 well, 1 could not, 2 wrong usage."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in COMMANDS:
        return COMMANDS[given[0]](given[1:])
    if given and given[0] == "--version":
        print(f"socketlab {__version__}")
        return 0
    if given and given[0] in ("--help", "-h", "help"):
        print(USAGE, end="")
        return 0
    print(USAGE, end="", file=sys.stderr)
    there_are = f"there are: {', '.join(COMMANDS)}"
    said = f"no command {given[0]!r}; {there_are}" if given else "no command given"
    print(f"socketlab: {said}", file=sys.stderr)
    return 2


class ExportOptions(CommandOptions):
    """What ``socketlab export`` takes."""

    synopsis = (
        "Usage: socketlab export FILE.jsonl [FILE.jsonl ...]"
        " --pcapng FILE | --svg FILE | --html FILE"
    )
    optParameters = [  # noqa: RUF012
        ["pcapng", None, None, "write packets here; - is stdout"],
        ["svg", None, None, "write one conversation's sequence diagram here; - is stdout"],
        ["html", None, None, "write a page with all conversations here; - is stdout"],
        ["connection", None, None, "only this one: c5, or 2/c5 for that of the second run"],
    ]
    recordings: tuple[str, ...] = ()

    def parseArgs(self, *words: str) -> None:
        """Recordings, in which both ends of a conversation may be."""
        if not words:
            raise usage.UsageError("expected the recording to export")
        self.recordings = words

    def postOptions(self) -> None:
        """Something to make of it, and one thing at most on stdout."""
        targets = [self[form] for form in ("pcapng", "svg", "html") if self[form] is not None]
        if not targets:
            raise usage.UsageError("--pcapng, --svg or --html FILE says what to write, and where")
        if targets.count("-") > 1:
            raise usage.UsageError("'-': stdout takes one of --pcapng, --svg and --html")
        if self["connection"] is not None and self["svg"] is None and self["html"] is None:
            asked = escape(self["connection"])
            raise usage.UsageError(f"--connection '{asked}' is for --svg and --html")


def export(arguments: Sequence[str]) -> int:
    """Write a recording in other forms."""
    return run_command("export", ExportOptions(), arguments, _export)


def _export(options: ExportOptions) -> int:
    from twisted_lab.exporting import export_html, export_pcapng, export_svg

    if options["pcapng"] is not None:
        export_pcapng(options.recordings, options["pcapng"])
    if options["svg"] is not None:
        export_svg(options.recordings, options["svg"], options["connection"])
    if options["html"] is not None:
        export_html(options.recordings, options["html"], options["connection"])
    return 0


def serve(arguments: Sequence[str]) -> int:
    """Serve until stopped."""
    from twisted_lab.tap import Options

    return run_command("serve", Options(), arguments, _serve)


def _serve(options: Any) -> int:
    _install_lean_reactor()
    from twisted.internet import reactor as installed

    from twisted_lab.bench import Bench
    from twisted_lab.starting import make, use_monotonic_time

    reactor: Any = installed
    use_monotonic_time(reactor)
    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stderr)], redirectStandardIO=False)
    bench: Bench = make(
        reactor, options.service, options.settings, take_signals=True, config=options.config
    )
    bench.startService()
    reactor.addSystemEventTrigger("before", "shutdown", bench.stopService)
    reactor.run()
    return 0


def watch(arguments: Sequence[str]) -> int:
    """The live view of a bench; or a program's own calls, after ``--``."""
    if "--" in arguments:
        from twisted_lab.watch.command import watch_program

        return watch_program(arguments, _install_lean_reactor)
    from twisted_lab.live.command import watch  # rich is its alone

    return watch(arguments)


def connect(arguments: Sequence[str]) -> int:
    """Talk to a server."""
    from twisted_lab.client.command import connect

    return connect(arguments, _install_lean_reactor)


def check(arguments: Sequence[str]) -> int:
    """What is wrong with a server."""
    from twisted_lab.conformance.command import check
    from twisted_lab.watch.alongside import Alongside

    return check(arguments, Alongside)


def study(arguments: Sequence[str]) -> int:
    """Experiments, run here and now."""
    from twisted_lab.study.command import study

    return study(arguments)


def _install_lean_reactor() -> None:
    """Where it can run; elsewhere Twisted's default comes with the first import of the reactor."""
    try:
        from twisted_lab import reactor as lean
    except ImportError:  # pragma: no cover - epoll(7) is Linux's
        return
    lean.install()


#: Each command, by its name.
COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "serve": serve,
    "watch": watch,
    "connect": connect,
    "check": check,
    "export": export,
    "study": study,
}
