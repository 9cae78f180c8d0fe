"""Holds what is recorded of programs against what strace saw of the same runs. ::

    python -m scripts.watch_truth

The programs are the right ones of ``tests/watched/``: blocking, with time-outs, threads, processes,
select, poll, asyncio, socketserver, Twisted, TLS. Prints a line for each: the system calls that it
made on its sockets, how many of them a recorded call accounts for, with the same result or errno,
and what is not visible. Ends with 1 when a call is missing or tells otherwise, or when less than
99 % are accounted for, the system calls inside OpenSSL, the C library and subprocess aside.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.integration.truth import Truth, python, truth_of
from tests.integration.watched import FOLDER

#: What a hook in Python cannot see, and says so.
_INSIDE = ("OpenSSL", "name look-up", "before exec()")

#: The least part that is accounted for.
_LEAST = 0.99


def main() -> int:
    """Compare; the exit status."""
    wrong, total = 0, Truth()
    for file in sorted((FOLDER / "right").glob("*.py")):
        with tempfile.TemporaryDirectory(prefix="socketlab-") as folder:
            seen, truth = truth_of(Path(folder), *python(file))
        print(f"{file.name:26} {_told(truth)}", flush=True)
        for sentence in truth.wrong:
            print(f"  {sentence}")
        wrong += bool(truth.wrong or seen.ended.status)
        total.total += truth.total
        total.covered += truth.covered
        total.ours += truth.ours
        total.unseen += truth.unseen
    print(f"{'all':26} {_told(total)}")
    visible = total.total - sum(total.unseen[why] for why in _INSIDE)
    print(f"{total.covered / visible:.2%} of what is not inside a library is accounted for")
    return int(wrong > 0 or total.covered < _LEAST * visible)


def _told(truth: Truth) -> str:
    unseen = Counter(truth.unseen).items()
    aside = "".join(f", {count} not visible: {why}" for why, count in unseen)
    return f"{truth.covered:4} of {truth.total:4}{aside}; the hook itself: {truth.ours}"


if __name__ == "__main__":
    sys.exit(main())
