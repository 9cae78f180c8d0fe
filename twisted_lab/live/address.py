"""Where a bench's page is: the address it prints when it starts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from twisted_lab.addresses import show_pair
from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape

#: Where the page of a bench on its usual ports is.
USUAL = "http://127.0.0.1:9002"

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[0-9A-Za-z._:~%-]{1,255}", re.ASCII)
#: What may stand in a header as a bearer token (RFC 6750, section 2.1), and how much of it.
_TOKEN = re.compile(r"[0-9A-Za-z._~+/-]{1,256}=*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """A bench's page; ``token`` is what changes need, None when it is not known."""

    scheme: str
    host: str
    port: int
    token: str | None = None

    def __str__(self) -> str:
        """For people: never with the token."""
        return f"{self.scheme}://{show_pair(self.host, self.port)}"


def read_address(text: str) -> Address:
    """The :class:`Address` in *text*, such as ``http://127.0.0.1:9002/#token=…``.

    Raises :class:`ConfigurationError` that names *text* (without a token).
    """
    shown = escape(text.partition("#")[0])
    if not text.isascii() or not text.isprintable():
        raise _wrong(shown, "an address has only printable ASCII")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _wrong(shown, "expected something like http://127.0.0.1:9002") from None
    if parts.scheme not in _PORTS:
        raise _wrong(shown, "expected an address that begins with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise _wrong("…@" + escape(parts.hostname or ""), "a bench takes no name and password")
    if not _HOST.fullmatch(parts.hostname or "") or port == 0:
        raise _wrong(shown, "expected a host and a port, as in http://127.0.0.1:9002")
    if parts.path not in ("", "/") or parts.query:
        raise _wrong(shown, "nothing may stand between the port and #token=")
    number = _PORTS[parts.scheme] if port is None else port
    return Address(parts.scheme, str(parts.hostname), number, _token(parts.fragment, shown))


def _token(fragment: str, shown: str) -> str | None:
    if not fragment:
        return None
    (*_, token) = parse_qs(fragment.replace("+", "%2B")).get("token", [""])
    if not _TOKEN.fullmatch(token):
        raise _wrong(shown, "after # stands token= and the token that the bench printed")
    return token


def _wrong(shown: str, why: str) -> ConfigurationError:
    return ConfigurationError(f"'{shown}': {why}")
