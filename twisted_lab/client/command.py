"""The command ``socketlab connect``: from its arguments to its exit status."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from twisted.python import usage

from twisted_lab.client.options import ConnectOptions
from twisted_lab.client.standard import fill_missing
from twisted_lab.errors import SocketlabError
from twisted_lab.escaping import escape


def connect(arguments: Sequence[str], install: Callable[[], object]) -> int:
    """Run ``socketlab connect``; *install* installs a reactor. The exit status.

    0: the talk ended in order; 1: no connection, or not all arrived; 2: wrong usage; 128 and a
    signal's number: that signal ended it.
    """
    options = ConnectOptions()
    try:
        options.parseOptions(arguments)
    except usage.UsageError as error:
        return _complain(escape(str(error), 400), 2)
    except SystemExit as done:  # --help and --version
        return int(done.code or 0)
    fill_missing()
    try:
        return _talk(options, install)
    except SocketlabError as error:
        return _complain(str(error), 1)


def _talk(options: ConnectOptions, install: Callable[[], object]) -> int:
    trust = None
    if options.target.kind == "tls":
        from twisted_lab.client.trust import Trust, verifying

        name = options["sni"] or options.target.host
        trust = Trust(name, None) if options["insecure"] else verifying(name, options["cafile"])
    install()
    from twisted.internet import reactor

    from twisted_lab.client.session import Session

    session = Session(reactor, options, trust)
    status = session.run()
    sentence = session.verdict.sentence
    return status if sentence is None else _complain(f"{options.target}: {sentence}", status)


def _complain(sentence: str, status: int) -> int:
    with suppress(OSError):  # stderr is a pipe that nobody reads
        print(f"socketlab connect: {sentence}", file=sys.stderr, flush=True)
    return status
