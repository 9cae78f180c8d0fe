"""Who may ask, and who may change: the checks every request passes, in their order.

Rule: ``Host`` (421), then ``Origin`` (403), then the token (401), then the body's type (415), and
only then what is asked for. The first alone stops DNS rebinding: a page of another name that
resolves to this address cannot name us.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from twisted.web.http import Request

from twisted_lab.addresses import host, show_pair
from twisted_lab.escaping import escape

#: What a request that changes nothing may be; everything else needs the token, everywhere.
READING = frozenset({b"GET", b"HEAD"})

#: What holds no data of the bench, so is free to whoever passes the first two checks.
_OPEN = ("/", "/healthz", "/readyz")
_OPEN_UNDER = "/static/"

_FORBIDDEN = "asked from another page: only this page itself may"
_NO_TOKEN = (
    "this needs the token that was printed at the start, as Authorization: Bearer TOKEN: it is in"
    " the address of the page, after #token="
)


@dataclass(frozen=True, slots=True)
class Refused:
    """A guard's no: the status, and the sentence."""

    status: int
    why: str


class Guard:
    """Checks requests; *token* is the secret that allows changes."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def refuse(self, request: Request, path: str) -> Refused | None:
        """Why *request* for *path* goes no further; None when it may."""
        said = _one(request, b"Host")
        if said is None or said.lower() not in _own_names(request):
            return Refused(421, f"no bench is called '{escape(said or '')}' here")
        if not self._of_this_page(request, path, said):
            return Refused(403, _FORBIDDEN)
        changes = request.method not in READING
        if (changes or self._is_private(request, path)) and not self._has_token(request):
            return Refused(401, _NO_TOKEN)
        if changes and not _is_json(request):
            return Refused(415, "expected Content-Type: application/json")
        return None

    @staticmethod
    def _of_this_page(request: Request, path: str, said: str) -> bool:
        scheme = "https" if request.isSecure() else "http"
        origin = _one(request, b"Origin")
        if request.requestHeaders.hasHeader(b"Origin") and origin != f"{scheme}://{said}":
            return False
        if _one(request, b"Sec-Fetch-Site") in (None, "same-origin", "none"):
            return True
        # A link elsewhere may lead here.
        opened = _one(request, b"Sec-Fetch-Mode") == "navigate" and path == "/"
        return opened and request.method == b"GET"

    @staticmethod
    def _is_private(request: Request, path: str) -> bool:
        if path in _OPEN or path.startswith(_OPEN_UNDER):
            return False
        return not host(request.getHost().host).loopback

    def _has_token(self, request: Request) -> bool:
        given = _one(request, b"X-Socketlab-Token")
        if given is None:
            scheme, _, given = (_one(request, b"Authorization") or "").partition(" ")
            given = given if scheme.lower() == "bearer" else ""
        return hmac.compare_digest(given.strip().encode(errors="replace"), self._token)


def _one(request: Request, name: bytes) -> str | None:
    """The header's one value; None when there is none, or several: they disagree."""
    values = request.requestHeaders.getRawHeaders(name) or []
    return values[0].decode("ascii", "replace") if len(values) == 1 else None


def _own_names(request: Request) -> set[str]:
    """How this connection's own end may be named, with its port."""
    address = request.getHost()
    own = address.host.removeprefix("::ffff:")
    names = {show_pair(own, address.port)}
    if host(own).loopback:
        names |= {show_pair(name, address.port) for name in ("127.0.0.1", "::1", "localhost")}
    # RFC 9110 7.4: with TLS the name must be the one the connection was made for.
    facts = getattr(request.channel.transport, "tls", None) or {}
    if facts.get("sni"):
        names.add(f"{facts['sni'].lower()}:{address.port}")
    default = ":443" if request.isSecure() else ":80"
    return names | {name.removesuffix(default) for name in names}


def _is_json(request: Request) -> bool:
    said = _one(request, b"Content-Type") or ""
    return said.partition(";")[0].strip().lower() == "application/json"
