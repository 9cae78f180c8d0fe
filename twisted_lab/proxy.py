"""What a PROXY protocol header says, as frozen values (haproxy's doc/proxy-protocol.txt).

A balancer sends the header before anything else, to name the client whose bytes follow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from twisted_lab.addresses import show_pair
from twisted_lab.escaping import cut, escape

#: Bits of the client field of the SSL TLV, by the specification's words.
_CLIENT_BITS = {1: "ssl", 2: "cert-conn", 4: "cert-sess"}

#: Bytes of a wrong header that are worth quoting: an IPv6 address is not longer.
_QUOTED = 40

#: The longest ALPN name (RFC 7301 3.1) is longer than any unique id (128 bytes).
_SHOWN = 255


class ProxyHeaderError(ValueError):
    """What came is not a PROXY header: *what* is wrong, about the bytes *value* if there are any.

    The text is one sentence with the value cut, and as it came: who shows it escapes it.
    """

    def __init__(self, what: str, value: bytes | None = None) -> None:
        if value is not None:
            what = f"'{cut(value, _QUOTED)}' {what}"
        super().__init__(what)


@dataclass(frozen=True, slots=True)
class InetName:
    """A numeric IP address, as inet_ntop(3) writes it, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return show_pair(self.host, self.port)


@dataclass(frozen=True, slots=True)
class UnixName:
    """The path of a UNIX socket; empty: it has none; a NUL first: an abstract one (unix(7))."""

    path: bytes

    def __str__(self) -> str:
        return "unix:" + self.path.decode("utf-8", "backslashreplace")


SocketName = InetName | UnixName


@dataclass(frozen=True, slots=True)
class Ssl:
    """The TLS between the client and the balancer. *client* is the specification's bits.

    *verify* is 0 when the client showed a certificate and it was found good. Texts the balancer
    did not send are None.
    """

    client: int
    verify: int
    version: str | None = None
    cn: str | None = None
    cipher: str | None = None
    sig_alg: str | None = None
    key_alg: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Everything that is there, as JSON's types; the bits of *client* as words."""
        words = [word for bit, word in _CLIENT_BITS.items() if self.client & bit]
        texts = {
            name: getattr(self, name) for name in ("version", "cn", "cipher", "sig_alg", "key_alg")
        }
        return {"client": words, "verify": self.verify} | _there(texts)


@dataclass(frozen=True, slots=True)
class Tlvs:
    """The additions of a version 2 header that we know; None where one is not there.

    *crc32c* is True when a checksum was there: it was right, or there would be no header.
    """

    alpn: bytes | None = None
    authority: str | None = None
    crc32c: bool = False
    unique_id: bytes | None = None
    ssl: Ssl | None = None
    netns: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Everything that is there, as JSON's types; bytes as text, escaped."""
        return _there(
            {
                "alpn": None if self.alpn is None else escape(self.alpn, _SHOWN),
                "authority": self.authority,
                "crc32c": self.crc32c or None,
                "unique_id": None if self.unique_id is None else escape(self.unique_id, _SHOWN),
                "ssl": None if self.ssl is None else self.ssl.as_json(),
                "netns": self.netns,
            }
        )


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """One header. *version* is 1 or 2, *command* ``PROXY`` or ``LOCAL``.

    *family* is ``INET``, ``INET6``, ``UNIX`` or ``UNSPEC``, *protocol* ``STREAM``, ``DGRAM`` or
    ``UNSPEC``. Without *source* and *destination* (LOCAL, UNKNOWN, UNSPEC) nobody is named, and
    the addresses of the connection itself count.
    """

    version: int
    command: str = "PROXY"
    family: str = "UNSPEC"
    protocol: str = "UNSPEC"
    source: SocketName | None = None
    destination: SocketName | None = None
    tlvs: Tlvs = field(default_factory=Tlvs)

    def as_json(self) -> dict[str, Any]:
        """The header as JSON's types; addresses as text; what is not there is left out."""
        named = {
            "source": None if self.source is None else str(self.source),
            "destination": None if self.destination is None else str(self.destination),
            "tlvs": self.tlvs.as_json() or None,
        }
        said = {
            "version": self.version,
            "command": self.command,
            "family": self.family,
            "protocol": self.protocol,
        }
        return said | _there(named)


@dataclass(frozen=True, slots=True)
class Proxy:
    """How a stream came here: its header, and the address of the *balancer* that sent it.

    *accepted_at* is when the balancer connected, in seconds of the service's clock.
    """

    header: ProxyHeader
    balancer: str
    accepted_at: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """The header and the balancer as JSON's types."""
        return {"balancer": self.balancer} | self.header.as_json()


def _there(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
