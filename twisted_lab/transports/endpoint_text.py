"""An endpoint string cut into its arguments, and each argument read or refused in one sentence.

The cutting is Twisted's (``prefix:argument:key=value``; a backslash takes the next character as it
is), and an argument wholly in brackets may hold colons.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address

from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape

#: listen(2) takes an int; the kernel cuts it to net.core.somaxconn.
_BACKLOG_MAX = 2**31 - 1

# An optional key, with no '=' and no ':' in it unless escaped; then a value that is in brackets as
# a whole or goes on to the next colon.
_ARGUMENT = re.compile(
    r"(?:((?:\\.|[^\\:=])*)=)?(\[[^][]*\](?=:|\Z)|(?:\\.|[^\\:])*)(:|\Z)", re.DOTALL
)


@cache
def loopback_interfaces() -> tuple[str, ...]:
    """The loopback addresses of this machine: ``127.0.0.1``, and ``::1`` if it can be bound."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return ("127.0.0.1",)
    return ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Request:
    """What an endpoint string says, not yet understood.

    Every method but :meth:`wrong` raises the :class:`ConfigurationError` that :meth:`wrong` makes.
    """

    text: str
    prefix: str = ""
    positional: list[str] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)

    def wrong(self, what: str) -> ConfigurationError:
        """The error that names the whole string, and *what* is wrong with it, already escaped."""
        return ConfigurationError(f"the endpoint '{escape(self.text)}' is wrong: {what}")

    def allow_keys(self, *known: str) -> None:
        """Refuse every key but the *known*."""
        for key in self.keys:
            if key not in known:
                raise self.wrong(f"there is no key '{escape(key)}' here, only {', '.join(known)}")

    def integer(self, name: str, value: str, highest: int) -> int:
        """*value*, from 0 to *highest*; *name* says what it is."""
        number = number_of(value)
        if number is None:
            raise self.wrong(f"the {name} '{escape(value)}' is not a number")
        if not 0 <= number <= highest:
            raise self.wrong(f"the {name} {escape(value, 20)} is not between 0 and {highest}")
        return number

    def backlog(self) -> int | None:
        """The value of ``backlog=``, in connections."""
        value = self.keys.get("backlog")
        return None if value is None else self.integer("backlog", value, _BACKLOG_MAX)

    def interfaces(self, value: str) -> tuple[str, ...]:
        """The numeric addresses of the host *value*."""
        found = addresses_of(value)
        if not found:
            nor = ", nor a folder of PEM files" if self.prefix == "tls" else ""
            raise self.wrong(f"'{escape(value)}' is not an IP address or 'localhost'{nor}")
        return found

    def where(self) -> tuple[tuple[str, ...], int]:
        """The interfaces and the port of ``PORT``, ``HOST:PORT`` or ``PORT:interface=HOST``."""
        *host, port = self._host_and_port()
        if "interface" in self.keys:
            host.append(self.keys["interface"])
        if len(host) > 1:
            raise self.wrong(f"'{escape(host[0])}' and interface= name the interface twice")
        interfaces = self.interfaces(host[0]) if host else loopback_interfaces()
        return interfaces, self.integer("port", port, 65535)

    def _host_and_port(self) -> list[str]:
        given = self.positional
        if any(("[" in one) != ("]" in one) for one in given):
            raise self.wrong("a bracket has no partner, where '[::1]' would be right")
        if given in ([], [""]) or (len(given) == 1 and addresses_of(given[0])):
            raise self.wrong(f"it has no port, where '{self.prefix}:9000' would be right")
        if len(given) > 2 or (len(given) == 2 and number_of(given[0]) is not None):
            most = f"'{self.prefix}:HOST:PORT' is the most, with brackets round an IPv6 host"
            raise self.wrong(f"it has too many arguments: {most}")
        return given


def read(text: str) -> Request:
    """*text* cut at its colons; a bare number has the prefix ``tcp``.

    :raises ConfigurationError: when it is empty, ends in a backslash or has a key twice.
    """
    if not text:
        raise Request(text).wrong("it is empty, where '9000' or 'tcp:9000' would be right")
    (key, prefix), *arguments = _arguments(text)
    if key is not None:
        prefix = f"{key}={prefix}"
    elif not arguments and number_of(prefix) is not None:
        return Request(text, "tcp", [prefix])
    request = Request(text, prefix)
    for key, value in arguments:
        if key is None:
            request.positional.append(value)
        elif key in request.keys:
            raise request.wrong(f"the key '{escape(key)}' is there twice")
        else:
            request.keys[key] = value
    return request


def _arguments(text: str) -> Iterator[tuple[str | None, str]]:
    """The arguments as (key, value); the key of a positional one is None."""
    at = 0
    while match := _ARGUMENT.match(text, at):
        key, value, end = match.groups()
        yield (None if key is None else _unescape(key)), _unescape(value)
        if not end:
            return
        at = match.end()
    raise Request(text).wrong("it ends in a backslash, and nothing follows to be escaped")


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def number_of(text: str) -> int | None:
    """*text* as an integer; None if it is not written in ASCII digits."""
    if not re.fullmatch("-?[0-9]+", text):
        return None
    # int() refuses some thousands of digits; no number of ours has twenty, and none is negative.
    return int(text) if len(text) < 20 else -1


def addresses_of(text: str) -> tuple[str, ...]:
    """The addresses the host *text* means: none when it is neither numeric nor ``localhost``."""
    if text == "localhost":
        return loopback_interfaces()
    bracketed = text.startswith("[") and text.endswith("]")
    try:
        address = ip_address(text[1:-1] if bracketed else text)
    except ValueError:
        return ()
    # ip_address takes any text for a scope; interface names are like eth0 and br-1.2.
    scope = str(address).partition("%")[2]
    return (str(address),) if re.fullmatch(r"[\w.-]*", scope, re.ASCII) else ()
