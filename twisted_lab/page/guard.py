"""Who may ask, and who may change: the checks every request passes, in their order.

Rule: ``Host`` (421), then ``Origin`` (403), then the token (401), then the body's type (415), and
only then what is asked for. The first alone stops DNS rebinding: a page of another name that
resolves to this address cannot name us.
"""

from __future__ import annotations

import hmac

from twisted.web.http import Request

from twisted_lab.addresses import host, show_pair
from twisted_lab.escaping import escape
from twisted_lab.page.routes import ApiError

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


#: How the token is to be given, for programs (RFC 6750 3).
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="socketlab"'}


def addressed(request: Request) -> tuple[str, str]:
    """Whose *request* this is, and what it wants of them.

    A request that names a whole address names its host there (RFC 9112 3.2.2).
    """
    target, said = request.uri.decode("ascii", "replace"), _one(request, b"Host") or ""
    scheme = f"{_scheme(request)}://"
    if not target.lower().startswith(scheme):
        return said, target
    name, slash, rest = target[len(scheme) :].partition("/")
    return name, slash + rest


def _scheme(request: Request) -> str:
    return "https" if request.isSecure() else "http"


class Guard:
    """Checks requests; *token* is the secret that allows changes."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def check(self, request: Request, name: str, path: str) -> None:
        """Raise :class:`ApiError` unless *request*, to the host *name*, may ask for *path*."""
        if name.lower() not in _own_names(request):
            raise ApiError(421, f"no bench is called '{escape(name)}' here")
        if not self._of_this_page(request, path, name):
            raise ApiError(403, _FORBIDDEN)
        changes = request.method not in READING
        if (changes or self._is_private(request, path)) and not self._has_token(request):
            raise ApiError(401, _NO_TOKEN, _CHALLENGE)
        if changes and not _is_json(request):
            raise ApiError(415, "expected Content-Type: application/json")

    @staticmethod
    def _of_this_page(request: Request, path: str, name: str) -> bool:
        if _one(request, b"Origin") not in (None, f"{_scheme(request)}://{name}"):
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
    """The header's one value; None when there is none, nothing when there are several."""
    values = request.requestHeaders.getRawHeaders(name)
    if values is None:
        return None
    return values[0].decode("ascii", "replace") if len(values) == 1 else ""


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
