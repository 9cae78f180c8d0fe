"""Programs of ours, run to their end."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from typing import NamedTuple

#: Seconds after which a program that should end is a failure.
PATIENCE = 60.0

SOCKETLAB = (sys.executable, "-m", "twisted_lab")


class Ended(NamedTuple):
    """The exit status of a program, and what it printed."""

    status: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        """The last line on stderr."""
        return self.err.splitlines()[-1] if self.err else ""


def run(*command: str, cwd: str | None = None) -> Ended:
    """Run *command* to its end, in *cwd* or in an empty folder."""
    with tempfile.TemporaryDirectory(prefix="socketlab-test-") as folder:
        done = subprocess.run(
            command,
            cwd=cwd or folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            text=True,
        )
    return Ended(done.returncode, done.stdout, done.stderr)
