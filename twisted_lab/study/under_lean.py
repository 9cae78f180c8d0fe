"""Runs a program on the lean reactor: ``python -m twisted_lab.study.under_lean PROGRAM …``."""

from __future__ import annotations

import runpy
import sys

from twisted_lab.reactor import install

install()
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
