"""What the commands of ``socketlab`` have in common: how their words are read, how they end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from getopt import GetoptError, gnu_getopt
from typing import NoReturn, TypeVar

from twisted.python import usage

from twisted_lab import __version__
from twisted_lab.errors import SocketlabError
from twisted_lab.escaping import escape

#: Letters of a sentence about bad usage: a person may have given a whole file as a word.
_LONGEST = 1000

Given = TypeVar("Given", bound=usage.Options)


class CommandOptions(usage.Options):
    """Options that may stand before, between and after the other words."""

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """The options first, for Twisted's own parser stops at the first word that is none."""
        words = list(options or ())
        try:
            given, others = gnu_getopt(words, self.shortOpt, self.longOpt)
        except GetoptError as error:
            raise usage.UsageError(str(error)) from None
        first = [word for pair in given for word in self._written(*pair)]
        super().parseOptions([*first, "--", *others])

    def _written(self, option: str, value: str) -> tuple[str, ...]:
        takes_one = f"{option.removeprefix('--')}=" in self.longOpt
        if option.startswith("--"):
            return (f"{option}={value}",) if takes_one else (option,)
        return (option, value) if value else (option,)

    def opt_version(self) -> NoReturn:
        """Say the version of socketlab."""
        print(f"socketlab {__version__}")
        raise SystemExit(0)


def run_command(
    name: str, options: Given, arguments: Sequence[str], work: Callable[[Given], int]
) -> int:
    """Read *arguments* into *options*, then do the *work*: its exit status.

    2 when the words are wrong, 1 when *work* raised a :class:`SocketlabError`; either is said in
    one sentence on stderr.
    """
    try:
        options.parseOptions(arguments)
    except usage.UsageError as error:
        return complain(name, escape(str(error), _LONGEST), 2)
    except SystemExit as done:  # --help and --version
        return int(done.code or 0)
    try:
        return work(options)
    except SocketlabError as error:
        return complain(name, str(error), 1)


def complain(name: str, sentence: str, status: int) -> int:
    """Say why the command *name* ends with *status*, which is returned."""
    with suppress(OSError):  # stderr is a pipe that nobody reads
        print(f"socketlab {name}: {sentence}", file=sys.stderr, flush=True)
    return status
