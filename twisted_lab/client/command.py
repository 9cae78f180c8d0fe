"""The command ``socketlab connect``: from its arguments to its exit status."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from twisted_lab.client.options import ConnectOptions
from twisted_lab.client.standard import fill_missing
from twisted_lab.command_line import complain, run_command


def connect(arguments: Sequence[str], install: Callable[[], object]) -> int:
    """Run ``socketlab connect``; *install* installs a reactor. The exit status.

    0: the talk ended in order; 1: no connection, or not all arrived; 2: wrong usage; 128 and a
    signal's number: that signal ended it.
    """
    return run_command("connect", ConnectOptions(), arguments, partial(_talk, install))


def _talk(install: Callable[[], object], options: ConnectOptions) -> int:
    fill_missing()
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
    return (
        status if sentence is None else complain("connect", f"{options.target}: {sentence}", status)
    )
