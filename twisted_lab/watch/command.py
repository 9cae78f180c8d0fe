"""The command ``socketlab watch -- PROGRAM``: from its arguments to its exit status."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial

from twisted_lab.command_line import run_command
from twisted_lab.escaping import escape
from twisted_lab.watch.options import ProgramOptions


def watch_program(arguments: Sequence[str], install: Callable[[], object]) -> int:
    """Run the program after ``--``; *install* installs a reactor. The program's exit status.

    1: it could not be started; 2: wrong usage.
    """
    return run_command("watch", ProgramOptions(), arguments, partial(_watch, install))


def _watch(install: Callable[[], object], options: ProgramOptions) -> int:
    install()
    from twisted.internet import reactor

    from twisted_lab.watch.session import Session

    drawn = [(form, options[form]) for form in ("svg", "html") if options[form] is not None]
    if not drawn:
        return Session(reactor, options).run()
    with tempfile.TemporaryDirectory(prefix="socketlab-watch-") as folder:
        kept = options["record"]
        if kept is None:
            options["record"] = kept = os.path.join(folder, "recording.jsonl")
        status = Session(reactor, options).run()
        for form, target in drawn:
            _draw(form, kept, target)
    return status


def _draw(form: str, recording: str, target: str) -> None:
    from twisted_lab.exporting import export_html, export_svg  # who draws nothing starts sooner

    if form == "html":
        export_html([recording], target)
        return
    count = export_svg([recording], target, first=True)
    said = f"'{escape(target)}' shows the first of {count} conversations: --html shows all"
    if not count:
        said = f"'{escape(target)}' is not written: there was no conversation"
    if count != 1:
        print(f"socketlab watch: {said}", file=sys.stderr)
