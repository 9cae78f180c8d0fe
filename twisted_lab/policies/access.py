"""Who may connect, by CIDR network."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network

from twisted_lab.addresses import Host
from twisted_lab.interfaces import Refusal

Network = IPv4Network | IPv6Network


class Access:
    """Refuses hosts in *deny*, and, when *allow* names any network, hosts in none of them.

    UNIX-domain peers have no address; the permissions of the socket's file are their gate.
    """

    def __init__(self, allow: tuple[Network, ...] = (), deny: tuple[Network, ...] = ()) -> None:
        self._allow = allow
        self._deny = deny

    def admit(self, host: Host) -> Refusal | None:
        """None, or why not."""
        ip = host.ip
        if ip is None:
            return None
        denied = any(ip in network for network in self._deny)
        if denied or (self._allow and not any(ip in network for network in self._allow)):
            return Refusal("access", f"connections from {ip} are not allowed here")
        return None
