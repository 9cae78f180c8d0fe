"""Which request leads where: the table of the interface, which docs/api.md is held against."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote


class ApiError(Exception):
    """What was asked for cannot be: an HTTP *status*, one sentence, and headers it must have."""

    def __init__(self, status: int, why: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(why)
        self.status = status
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class Route:
    """``{id}`` in *path* is one segment of the path, given to *answer* by that name.

    *answer* is called with an :class:`~twisted_lab.page.api.Asked`, and returns what
    :class:`~twisted_lab.page.site.Site` sends: a dict as JSON, a Body, or None when it answers by
    itself. *parameters* are the names the query may have.
    """

    method: str
    path: str
    answer: Callable[..., Any]
    parameters: tuple[str, ...] = ()

    def match(self, path: str) -> dict[str, str] | None:
        """The named segments of *path*, percent-decoded; None when it is another path."""
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(self.path))
        found = re.fullmatch(pattern, path)
        if found is None:
            return None
        return {name: unquote(text) for name, text in found.groupdict().items()}


def find(routes: tuple[Route, ...], method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The route for *path*, and its named segments; raises :class:`ApiError` 404 or 405.

    Of several the first counts. HEAD is answered as GET is.
    """
    method = "GET" if method == "HEAD" else method
    matching = [(route, named) for route in routes if (named := route.match(path)) is not None]
    if not matching:
        raise ApiError(404, "there is nothing at this address")
    for route, named in matching:
        if route.method == method:
            return route, named
    allowed = ", ".join(sorted({route.method for route, _ in matching}))
    raise ApiError(405, f"this takes {allowed}", {"Allow": allowed.replace("GET", "GET, HEAD")})
