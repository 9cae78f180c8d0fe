"""Which request leads where."""

from __future__ import annotations

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.page.api import ROUTES
from twisted_lab.page.routes import ApiError, Route, find

DOCS = Path(__file__).parent.parent.parent / "docs"


def nothing() -> None:
    """No answer."""


class FindTests(SynchronousTestCase):
    routes = (
        Route("GET", "/a/{id}.svg", nothing),
        Route("GET", "/a/{id}", nothing),
        Route("POST", "/a/{id}/stop", nothing),
        Route("PUT", "/a/{id}/stop", nothing),
    )

    def status(self, method: str, path: str) -> int:
        error: ApiError = self.assertRaises(ApiError, find, self.routes, method, path)
        return error.status

    def test_named(self) -> None:
        """A segment has its name, and is what was meant by its percents."""
        for path, id in (("/a/c5", "c5"), ("/a/my.proto%3AF", "my.proto:F"), ("/a/%00%2F", "\0/")):
            route, named = find(self.routes, "GET", path)
            self.assertEqual((route, named), (self.routes[1], {"id": id}))

    def test_first(self) -> None:
        """Of several the first counts."""
        self.assertEqual(find(self.routes, "GET", "/a/c5.svg"), (self.routes[0], {"id": "c5"}))

    def test_head(self) -> None:
        """HEAD goes where GET goes."""
        self.assertEqual(find(self.routes, "HEAD", "/a/b")[0], self.routes[1])

    def test_nowhere(self) -> None:
        """Another address is none, however like it looks."""
        for path in ("", "/", "/a", "/a/", "/a/b/c", "/a/b/stop/", "//a/b", "/A/b", "/a/../a/b"):
            self.assertEqual(self.status("GET", path), 404, path)

    def test_method(self) -> None:
        """Another method is told which there are."""
        error: ApiError = self.assertRaises(ApiError, find, self.routes, "GET", "/a/b/stop")
        self.assertEqual((error.status, str(error)), (405, "this takes POST, PUT"))


class DocumentedTests(SynchronousTestCase):
    def test_each(self) -> None:
        """docs/api.md has each route of the interface with its parameters, and no others."""
        text = (DOCS / "api.md").read_text()
        told = set(re.findall(r"^\| `(GET|POST) (/api/[^`?]*)(?:\?([^`]*))?`", text, re.MULTILINE))
        found = {
            (route.method, route.path, "&".join(f"{name}=" for name in route.parameters))
            for route in ROUTES
        }
        self.assertEqual(told, found)
