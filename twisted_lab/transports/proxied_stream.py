"""A stream that a balancer passed on: the same, but the addresses are those its header names."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress

from twisted_lab.addresses import Host
from twisted_lab.layer import Layer
from twisted_lab.proxy import Proxy, ProxyHeader, SocketName, UnixName
from twisted_lab.wrapping import SecureStream, Stream


class ProxiedStream(Stream):
    """A stream behind a balancer. ``opened_at`` is when the balancer connected.

    To the protocol it is as if the client had come itself: getPeer() is the client, getHost() the
    address the client called. ``local``, in every event, is the port of ours that was called.
    """

    __slots__ = ("_early", "proxy")

    proxy: Proxy  # never None here

    def __init__(
        self,
        layer: Layer,
        protocol: Any,
        address: IAddress,
        host: Host,
        local: str,
        kind: str,
        proxy: Proxy,
    ) -> None:
        super().__init__(layer, protocol, address, host, local, kind)
        self.proxy = proxy
        self._early = b""

    def makeConnection(self, transport: Any, since: float | None = None) -> None:
        """The header has come, and the transport is ours."""
        super().makeConnection(transport, self.proxy.accepted_at if since is None else since)

    def getPeer(self) -> IAddress:
        """The client the header names; without one, whoever is at the other end."""
        return self.address

    def getHost(self) -> Any:
        """The address the client called, where the header names it; else our own."""
        named = address_of(self.proxy.header, self.proxy.header.destination)
        return self.transport.getHost() if named is None else named

    def take_early(self, data: bytes) -> None:
        """*data* came with the header; it waits if reading is held already."""
        if self._holds and not self.ending:
            self._early = data
        else:
            self.dataReceived(data)

    def release(self, by: str) -> None:
        """End the hold *by*; what came with the header goes before what the transport reads."""
        super().release(by)
        if self._early and not self._holds:
            # Later, as a transport does: a protocol that resumes is not called back within that.
            self.layer.clock.callLater(0, self._deliver_early)

    def _deliver_early(self) -> None:
        if not self._lost:
            data, self._early = self._early, b""
            self.take_early(data)


class SecureProxiedStream(ProxiedStream, SecureStream):
    """The same over TLS."""

    __slots__ = ()


def address_of(header: ProxyHeader, name: SocketName | None) -> IAddress | None:
    """*name*, of *header*, as Twisted says it."""
    if name is None:
        return None
    if isinstance(name, UnixName):
        return UNIXAddress(name.path or None)
    kind = IPv4Address if header.family == "INET" else IPv6Address
    return kind("UDP" if header.protocol == "DGRAM" else "TCP", name.host, name.port)
