"""Runs a program on the lean reactor: ``python -m twisted_lab.study.under_lean PROGRAM …``."""

from __future__ import annotations

import runpy
import sys


def main() -> None:
    """The program is the first argument, and finds its own behind it."""
    from twisted_lab import reactor

    reactor.install()
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
