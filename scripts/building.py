"""Servers in the files of other languages, made ready to be started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

#: By the suffix of a file: how it is compiled.
_COMPILERS = {
    ".c": ("gcc", "-O2", "-pthread", "-Wall", "-Werror", "-o"),
    ".go": ("go", "build", "-o"),
}


def command(file: Path, folder: Path) -> str:
    """The command that starts the server in *file*, which is compiled into *folder* if need be."""
    if file.suffix == ".py":
        return f"{sys.executable} {file}"
    made = folder / file.name.replace(".", "-")
    subprocess.run([*_COMPILERS[file.suffix], str(made), str(file)], check=True, timeout=100)
    return str(made)
