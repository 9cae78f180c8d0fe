"""What the commands of ``socketlab`` have in common: how their words are read, how they end.

Rule: the sentence of a UsageError is safe to show, as that of a SocketlabError is: what it quotes
is escaped where it is quoted, and once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from getopt import GetoptError, getopt
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
        try:
            words = self._options_first(list(options or ()))
        except GetoptError as error:
            raise usage.UsageError(escape(str(error), _LONGEST)) from None
        super().parseOptions(words)

    def _options_first(self, words: list[str]) -> list[str]:
        """Not gnu_getopt(), which leaves the order as it is where POSIXLY_CORRECT is set."""
        first, others = list[str](), list[str]()
        while words:
            _, left = getopt(words, self.shortOpt, self.longOpt)
            first += words[: len(words) - len(left)]
            if first[-1:] == ["--"]:
                return [*first, *others, *left]
            others += left[:1]
            words = left[1:]
        return [*first, *others]

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
        return complain(name, str(error), 2)
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
