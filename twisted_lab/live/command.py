"""``socketlab watch``: what is shown how, and the exit status."""

from __future__ import annotations

import io
import os
import re
import signal
import ssl
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event

from rich.console import Console
from twisted.python import usage

from twisted_lab.command_line import CommandOptions, run_command
from twisted_lab.errors import ConfigurationError, instead_of
from twisted_lab.escaping import escape
from twisted_lab.live.address import USUAL, Address, read_address
from twisted_lab.live.http_reading import Reader
from twisted_lab.live.once import print_once
from twisted_lab.live.plain import Lines
from twisted_lab.live.polling import services as services_of

#: Cells of a line where there is no terminal to say how many it has.
_WIDE = 160

_ID = re.compile(r"[cd][0-9]{1,18}", re.ASCII)


class Options(CommandOptions):
    """What ``socketlab watch`` takes."""

    synopsis = f"""Usage: socketlab watch [options] [URL]

URL is the address that the bench printed when it started; without one it is {USUAL}.
Changes (close, reset) need the whole address, #token= and all.
The calls of a program of your own: socketlab watch -- PROGRAM;
socketlab watch --help -- says how."""

    optParameters = [  # noqa: RUF012 - Twisted's
        ["service", None, None, "only this service"],
        ["connection", None, None, "only this connection (c5) or datagram peer (d3)"],
        ["cafile", None, None, "https: trust the certificates in this file"],
    ]
    optFlags = [  # noqa: RUF012 - Twisted's
        ["once", None, "print the tables (with --connection its ladder) once, and exit"],
        ["json", None, "print the events as JSON lines (with --once the answers as one)"],
        ["insecure", None, "https: take any certificate"],
    ]
    address: Address
    tls: ssl.SSLContext | None = None

    def parseArgs(self, *words: str) -> None:
        """One URL, or none."""
        if len(words) > 1:
            raise usage.UsageError(f"expected one URL, not {len(words)}")
        try:
            self.address = read_address(*words or (USUAL,))
        except ConfigurationError as error:
            raise usage.UsageError(str(error)) from None

    def postOptions(self) -> None:
        """What belongs together, and what does not."""
        wanted = self["connection"]
        if wanted is not None and not _ID.fullmatch(wanted):
            shown = escape(wanted)
            raise usage.UsageError(f"--connection '{shown}': expected an id such as c5 or d3")
        if wanted is not None and self["service"] is not None:
            raise usage.UsageError("--connection is of one service already: leave out --service")
        if wanted is not None and self["once"] and self["json"]:
            raise usage.UsageError("--once with --connection prints a ladder: leave out --json")
        self.tls = self._context()

    def _context(self) -> ssl.SSLContext | None:
        cafile, insecure = self["cafile"], self["insecure"]
        if self.address.scheme != "https":
            if insecure or cafile is not None:
                name = "--insecure" if insecure else "--cafile"
                raise usage.UsageError(f"{name} is for https, and {self.address} is not")
            return None
        if insecure and cafile is not None:
            raise usage.UsageError("--insecure and --cafile: expected one of them")
        try:
            context = ssl.create_default_context(cafile=cafile)
        except OSError as problem:  # and ssl.SSLError
            why = problem.strerror or "no certificate in it"
            raise usage.UsageError(f"--cafile '{escape(cafile or '')}': {why}") from None
        if insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context


def watch(arguments: Sequence[str]) -> int:
    """Show a running bench; the exit status: 0 well, 1 no bench there, 2 wrong usage."""
    return run_command("watch", Options(), arguments, _watch)


def _watch(options: Options) -> int:
    with suppress(KeyboardInterrupt, BrokenPipeError), _stopped_in_order():
        _show(options)
    return 0


def _show(options: Options) -> None:
    console = _console()
    only = {"service": options["service"], "conversation": options["connection"]}
    if options["service"] is not None:
        _is_served(options, options["service"])
    if options["once"]:
        print_once(options.address, options.tls, console, **only, as_json=bool(options["json"]))
    elif options["json"] or not _interactive(console):
        Lines(
            options.address,
            options.tls,
            Event().wait,
            sys.stdout,
            sys.stderr,
            **only,
            as_json=bool(options["json"]),
        ).run()
    else:
        from twisted_lab.live.session import Session  # it stands on termios

        Session(options.address, options.tls, console, time.monotonic, **only).run()


def _is_served(options: Options, wanted: str) -> None:
    """Raises :class:`ConfigurationError` when the bench has no service *wanted*."""
    reader = Reader(options.address, options.tls)
    try:
        served = services_of(reader.get("/api/services"))
    finally:
        reader.close()
    if wanted not in (names := [each.name for each in served]):
        said = instead_of(wanted, names)
        raise ConfigurationError(f"--service '{escape(wanted)}': not served there; {said}")


def _console() -> Console:
    """stdout, where nothing that is printed can mean anything but itself."""
    terminal = sys.stdout.isatty()
    return Console(
        file=sys.stdout,
        force_terminal=terminal,
        color_system="auto" if terminal else None,
        width=None if terminal else _WIDE,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
    )


def _interactive(console: Console) -> bool:
    return console.is_terminal and not console.is_dumb_terminal and sys.stdin.isatty()


@contextmanager
def _stopped_in_order() -> Iterator[None]:
    """SIGTERM ends it as Ctrl-C does, and a reader of stdout that went away is no error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still to be written shall not be tried again when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
