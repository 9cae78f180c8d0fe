"""A file that a command was asked to write: whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable

from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape


def cannot(verb: str, name: str, problem: OSError) -> ConfigurationError:
    """The one sentence for a file that could not be read or written."""
    return ConfigurationError(
        f"cannot {verb} '{escape(name)}': {problem.strerror or escape(str(problem))}"
    )


def write_file(blocks: Iterable[bytes], target: str) -> None:
    """Write *blocks* to the file *target*, which appears when it is whole, or to stdout for ``-``.

    A pipe or a device is written to as it is. Raises :class:`ConfigurationError`.
    """
    try:
        _write_to(blocks, target)
    except OSError as problem:
        raise cannot("write", target, problem) from None


def _write_to(blocks: Iterable[bytes], target: str) -> None:
    if target == "-":
        with open(1, "wb", closefd=False) as stdout:
            stdout.writelines(blocks)
    elif os.path.exists(target) and not os.path.isfile(target):  # a pipe, /dev/null
        with open(target, "wb") as there:
            there.writelines(blocks)
    else:
        _replace(blocks, target)


def _replace(blocks: Iterable[bytes], target: str) -> None:
    folder, name = os.path.split(os.path.abspath(target))
    fd, new = tempfile.mkstemp(prefix=f"{name}.", dir=folder)  # nobody else's, as a recording is
    try:
        with open(fd, "wb") as file:
            file.writelines(blocks)
        os.replace(new, target)
    except BaseException:
        os.unlink(new)
        raise
