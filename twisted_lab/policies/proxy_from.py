"""Whose PROXY headers are believed: whoever may send one can claim any address."""

from __future__ import annotations

from twisted_lab.addresses import Host
from twisted_lab.interfaces import Refusal
from twisted_lab.policies.access import Network


class ProxyFrom:
    """Refuses balancers outside *networks*; without any, those that are not on loopback.

    UNIX-domain peers are always believed: the permissions of the socket's file are their gate.
    """

    def __init__(self, networks: tuple[Network, ...] = ()) -> None:
        self._networks = networks

    def admit(self, host: Host) -> Refusal | None:
        """None, or why not."""
        ip = host.ip
        if ip is None:
            return None
        if any(ip in network for network in self._networks) if self._networks else host.loopback:
            return None
        return Refusal("proxy-from", f"PROXY headers from {ip} are not believed")
