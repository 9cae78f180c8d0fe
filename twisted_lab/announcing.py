"""What is served, said once to the person who started it."""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Iterable, Sequence
from typing import Protocol

from twisted_lab import __version__, addresses, trying
from twisted_lab.escaping import escape
from twisted_lab.service import LabService, OpenPort
from twisted_lab.service_views import target_at
from twisted_lab.transports.endpoints import TlsListen, UnixListen
from twisted_lab.transports.keyring import Shown
from twisted_lab.transports.listeners import word

#: ioctl(2) of netdevice(7): the address of an interface.
_SIOCGIFADDR = 0x8915


class Announced(Protocol):
    """A page: its port, and the address to open in a browser."""

    service: LabService

    @property
    def address(self) -> str:
        """With the token."""


def announcement(
    services: Sequence[LabService], reactor: object, page: Announced | None = None
) -> str:
    """A few lines: which reactor runs, each service, where it listens, one line to try it with."""
    lines = [f"socketlab {__version__} ({word_for(reactor)}) serves:"]
    for service in services:
        lines += _service_lines(service)
    if page is not None:
        lines.append(f"  {'page':8} {page.address.partition(':')[0]:4}  open: {page.address}")
        lines += _certificates(page.service, page.service.ports)
    lines += _addresses_for_others([*services, page.service] if page else services)
    return "\n".join([*lines, "Stop with Ctrl-C."])


def word_for(reactor: object) -> str:
    """As ``--reactor`` has it: ``epoll`` for an EPollReactor."""
    return type(reactor).__name__.removesuffix("Reactor").removesuffix("Selector").lower()


def _service_lines(service: LabService) -> Iterable[str]:
    transports = dict.fromkeys(word(opened.listen) for opened in service.ports)
    for transport in transports:
        ports = [opened for opened in service.ports if word(opened.listen) == transport]
        where = "  ".join(_shown(opened) for opened in ports)
        yield f"  {service.called:8} {transport:4} {where:31}  {_to_try(service, ports[0])}"
        yield from _certificates(service, ports)


def _certificates(service: LabService, ports: Iterable[OpenPort]) -> Iterable[str]:
    """A line for each certificate of *ports*."""
    listens = [opened.listen for opened in ports if isinstance(opened.listen, TlsListen)]
    certificates = [shown for listen in listens for shown in service.keyring.shown(listen)]
    return map(_certificate_line, dict.fromkeys(certificates))


def _certificate_line(shown: Shown) -> str:
    names = f" for {' '.join(map(escape, shown.names))}" if shown.names else ""
    return f"{'':16}certificate SHA-256 {shown.fingerprint}{names}"


def _to_try(service: LabService, opened: OpenPort) -> str:
    line = trying.line(target_at(service, opened))
    return "" if line is None else f"try: {line}"


def _shown(opened: OpenPort) -> str:
    if isinstance(opened.listen, UnixListen):
        return f"unix:{_path(opened.listen)}"
    return opened.address


def _path(listen: UnixListen) -> str:
    return escape(os.fsencode(listen.path))


def _addresses_for_others(services: Sequence[LabService]) -> Iterable[str]:
    """One line when a port is open to other machines: the address they can use."""
    interfaces = {
        getattr(opened.port.getHost(), "host", "127.0.0.1")
        for service in services
        for opened in service.ports
    }
    shown = set()
    for interface in sorted(interfaces):
        if interface in ("0.0.0.0", "::"):
            shown.update(own_addresses(with_ipv6=interface == "::"))
        elif not addresses.host(interface).loopback:
            shown.add(interface)
    if shown:
        yield f"  open to other machines, at: {'  '.join(sorted(shown))}"


def own_addresses(with_ipv6: bool) -> list[str]:
    """The addresses by which other machines may reach this one; none are contacted for it."""
    found = [*_ipv4_of_interfaces(), *_towards_others(with_ipv6)]
    return list(dict.fromkeys(found)) or [socket.gethostname()]


def _ipv4_of_interfaces() -> Iterable[str]:
    """The first IPv4 address of each interface but loopback (netdevice(7)); Linux only."""
    if sys.platform != "linux":
        return
    from fcntl import ioctl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        for _, name in socket.if_nameindex():
            try:
                answer = ioctl(asked, _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
            except OSError:
                continue  # it has none
            address = socket.inet_ntoa(answer[20:24])
            if not address.startswith("127."):
                yield address


def _towards_others(with_ipv6: bool) -> Iterable[str]:
    """The addresses from which this machine would send to others."""
    # RFC 5737 and RFC 3849: documentation addresses. connect() on UDP only asks the routing table.
    probes = [(socket.AF_INET, "192.0.2.1")]
    if with_ipv6:
        probes.append((socket.AF_INET6, "2001:db8::1"))
    for family, far in probes:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((far, 9))
                yield probe.getsockname()[0]
        except OSError:
            continue
