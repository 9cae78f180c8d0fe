"""The page of a watched program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from twisted_lab.announcing import word_for
from twisted_lab.loop_lag import LoopLag
from twisted_lab.metrics import Metrics
from twisted_lab.page.opening import Page, build, new_token
from twisted_lab.publishing import Publisher
from twisted_lab.shared import Shared
from twisted_lab.transports.endpoints import Listen
from twisted_lab.watch.subject import Watched


def page_of(
    watched: Watched,
    reactor: Any,
    publisher: Publisher,
    listens: tuple[Listen, ...],
    files: Mapping[str, Any],
) -> Page:
    """The page of *watched* on *listens*; *files* write what *publisher* publishes, by option."""
    publisher.add(watched)
    lag, word = LoopLag(reactor), word_for(reactor)
    losses: dict[str, Callable[[], int]] = {
        name: partial(getattr, file, "lost") for name, file in files.items()
    }
    metrics = Metrics(watched.views, lag, losses, build(word))
    watched.totals = metrics.of
    shared = Shared(reactor, publisher)
    return Page(watched, metrics, lag, shared, listens, word, losses, new_token())
