"""What RFC 862 to 868 say, sentence by sentence, and who does otherwise.

``python -m scripts.rfcs`` asks ours, GNU inetd, xinetd and Twisted's twisted.protocols.wire, each
in a network namespace of its own, which takes root. It prints a table, and exits with 1 when one of
ours was wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import SkipTest

from tests.integration.namespace import Namespace
from tests.integration.others import OTHERS, running
from tests.integration.rfcs import SENTENCES, NotOffered, Sentence, Server

OURS = "socketlab"


@contextmanager
def _server(name: str) -> Iterator[Server]:
    with Namespace() as namespace:
        if name == OURS:
            with namespace.child("--well-known", "--allow-amplification"):
                yield Server(namespace)
        else:
            with running(name, namespace):
                yield Server(namespace)


def answers(name: str) -> dict[Sentence, str]:
    """What each sentence came to with the server called *name*: "" is right."""
    with _server(name) as server:
        return {sentence: _answer(sentence, server) for sentence in SENTENCES}


def _answer(sentence: Sentence, server: Server) -> str:
    try:
        return sentence.ask(server)
    except NotOffered:
        return "not offered"


def rows(table: dict[str, dict[Sentence, str]]) -> Iterator[str]:
    """The table in Markdown: every sentence, and what differs."""
    yield "| RFC | sentence | " + " | ".join(table) + " |"
    yield "|---|---|" + "---|" * len(table)
    for sentence in SENTENCES:
        cells = (said[sentence].replace("|", "\\|") or "yes" for said in table.values())
        yield f"| {sentence.rfc} {sentence.form} | {sentence.text} | {' | '.join(cells)} |"


def main() -> int:
    """Ask, print; 1 when one of ours was wrong."""
    table = {}
    for name in (OURS, *OTHERS):
        try:
            table[name] = answers(name)
        except SkipTest as why:
            print(f"{name} is left out: {why}", file=sys.stderr)
    print("\n".join(rows(table)))
    return 1 if any(table.get(OURS, {"": "left out"}).values()) else 0


if __name__ == "__main__":
    sys.exit(main())
