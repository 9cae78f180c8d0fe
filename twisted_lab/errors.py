"""The errors of ours that reach a person, named by who is at fault."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from difflib import get_close_matches


class SocketlabError(Exception):
    """Any error of ours; its text is one sentence that names the offending value."""


class ConfigurationError(SocketlabError):
    """The person who started us asked for something that cannot be: a value, a unit, a file."""


class CannotServe(SocketlabError):
    """The machine refused: a port in use, no permission, no such address."""


def instead_of(word: str, known: Iterable[str]) -> str:
    """What to say after there is no *word*: the one of *known* that was meant, or all of them."""
    there_are = list(known)
    near = get_close_matches(word, there_are, 1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(there_are)}"


def summary(error: BaseException) -> str:
    """*error* on one line, with the place that raised it: ``ValueError: no (proto.py:12)``."""
    frames = traceback.extract_tb(error.__traceback__)
    shown = frames and not frames[-1].filename.startswith("<frozen")  # a file's, not an import's
    place = f" ({frames[-1].filename}:{frames[-1].lineno})" if shown else ""
    try:
        said = f": {error}"
    except Exception:  # an error that cannot even say what it is
        said = ""
    return f"{type(error).__name__}{said}{place}"
