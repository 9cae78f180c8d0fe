"""From a request to its answer: the guard, the routes, the headers every answer has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any
from urllib.parse import parse_qsl

from twisted.web.http import Request

from twisted_lab.errors import summary
from twisted_lab.escaping import escape
from twisted_lab.page.api import ROUTES, Asked, Body, as_json
from twisted_lab.page.guard import Guard, addressed
from twisted_lab.page.routes import ApiError, Route, find
from twisted_lab.page.subject import Subject
from twisted_lab.page.viewers import Viewers

#: What every answer says: nothing is loaded from elsewhere, nothing is put into another's page,
#: nothing is guessed, kept or told on.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "socketlab",
}

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}

#: What twisted.web (26.10) has no words for.
_WORDS = {421: b"Misdirected Request"}

#: Parameters in a query, at most.
_PARAMETERS = 20

#: The drawing's own style, which the page uses too.
_DIAGRAM_STYLE = ("diagram", "diagram.css")


class Site:
    """Answers the requests of the page.

    *about* is what is so of the bench as long as it runs; *exposition* makes the metrics of an
    Accept header, as their content type and their bytes.
    """

    def __init__(
        self,
        subject: Subject,
        viewers: Viewers,
        guard: Guard,
        about: Mapping[str, Any],
        exposition: Callable[[str], tuple[str, bytes]],
    ) -> None:
        self._subject = subject
        self._viewers = viewers
        self._guard = guard
        self._about = about
        self._exposition = exposition
        self._routes = (
            *ROUTES,
            Route("GET", "/", lambda asked: _file("index.html")),
            Route("GET", "/static/{name}", lambda asked, name: _file(name)),
            Route("GET", "/metrics", self._metrics),
            Route("GET", "/healthz", lambda asked: Body("text/plain", b"ok\n")),
            Route("GET", "/readyz", self._ready),
        )

    def answer(self, request: Any) -> None:
        """Answer *request*, whatever it is."""
        for name, value in HEADERS.items():
            request.setHeader(name, value)
        try:
            answer = self._answer(request)
        except ApiError as error:
            for name, value in error.headers.items():
                request.setHeader(name, value)
            answer = as_json({"error": str(error)}, error.status)
        except Exception as error:
            self._subject.note(f"{escape(request.uri)}: {summary(error)}")
            answer = as_json({"error": "this page has a bug: the log says more"}, 500)
        if answer is not None:
            _send(request, answer)

    def _answer(self, request: Any) -> Body | None:
        name, target = addressed(request)
        path, _, query = target.partition("?")
        self._guard.check(request, name, path)
        answer = self._found(request, path, query)
        return as_json(answer) if isinstance(answer, dict) else answer

    def _found(self, request: Request, path: str, query: str) -> Any:
        route, named = find(self._routes, request.method.decode("ascii", "replace"), path)
        given = _parameters(query, route.parameters)
        asked = Asked(self._subject, self._viewers, self._about, given, request)
        return route.answer(asked, **named)

    def _metrics(self, asked: Asked) -> Body:
        return Body(*self._exposition(asked.request.getHeader("Accept") or ""))

    def _ready(self, asked: Asked) -> Body:
        if self._subject.draining:
            return Body("text/plain", b"draining\n", 503)
        return Body("text/plain", b"ready\n")


def _parameters(query: str, known: tuple[str, ...]) -> dict[str, str]:
    try:
        given = parse_qsl(query, keep_blank_values=True, max_num_fields=_PARAMETERS)
    except ValueError:
        raise ApiError(400, f"more than {_PARAMETERS} parameters") from None
    for name, _ in given:
        if name not in known:
            there_are = ", ".join(known) or "none"
            raise ApiError(400, f"there is no parameter '{escape(name)}' here, only: {there_are}")
    return {name: text for name, text in given if text}


def _file(name: str) -> Body:
    folder = resources.files("twisted_lab")
    suffix = name.rpartition(".")[2]
    # A name is one segment; whatever else it is, it must be in the folder's own list.
    there_are = {one.name: one for one in (folder / "page" / "static").iterdir()}
    there_are[_DIAGRAM_STYLE[-1]] = folder.joinpath(*_DIAGRAM_STYLE)
    found = there_are.get(name)
    if found is None or suffix not in _TYPES:
        raise ApiError(404, f"there is no file '{escape(name)}'")
    return Body(_TYPES[suffix], found.read_bytes())


def _send(request: Any, answer: Body) -> None:
    request.setResponseCode(answer.status, _WORDS.get(answer.status))
    request.setHeader("Content-Type", answer.content_type)
    request.setHeader("Content-Length", str(len(answer.data)))
    request.write(answer.data)
    request.finish()
