"""Addresses as text, and what the gates need to know about a peer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from twisted.internet.address import UNIXAddress
from twisted.internet.interfaces import IAddress

#: How many hosts are kept parsed. One entry is about 1 KiB, and an attacker chooses them.
_HOSTS_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Host:
    """Where a peer sits: its IP address (None for UNIX), and under which key it is counted."""

    ip: IPv4Address | IPv6Address | None
    loopback: bool
    key: str


#: Every UNIX-domain peer is the same host: this one.
UNIX_HOST = Host(ip=None, loopback=True, key="unix")


@lru_cache(_HOSTS_KEPT)
def host(text: str) -> Host:
    """What is to know about the numeric IP address *text* (an IPv6 scope is dropped).

    IPv4 is counted by address, IPv6 by /64, for a /64 is what one customer owns (RFC 6177);
    an IPv4-mapped address is its IPv4 address.
    """
    ip = ip_address(text.partition("%")[0])
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is None:
            network = ip_network((int(ip) >> 64 << 64, 64))
            return Host(ip, ip.is_loopback, str(network))
        ip = ip.ipv4_mapped
    return Host(ip, ip.is_loopback, str(ip))


def host_of(address: IAddress) -> Host:
    """The :class:`Host` behind a Twisted *address*."""
    text = getattr(address, "host", None)
    return UNIX_HOST if text is None else host(text)


def show(address: IAddress) -> str:
    """*address* as people write it: ``127.0.0.1:9000``, ``[::1]:9000``, ``unix:/path``."""
    if isinstance(address, UNIXAddress):
        name = address.name
        return "unix:" + (name.decode("utf-8", "backslashreplace") if name else "")
    return show_pair(getattr(address, "host", "?"), getattr(address, "port", 0))


def show_pair(host_text: str, port: int) -> str:
    """``host:port``, with brackets round an IPv6 *host_text*."""
    return f"[{host_text}]:{port}" if ":" in host_text else f"{host_text}:{port}"
