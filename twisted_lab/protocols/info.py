"""Info: who you are to this server, as one line of JSON. What a load balancer did to you.

Rule: every answer has the same keys; what does not apply is null.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from twisted_lab.addresses import show, show_pair


def describe_stream(stream: Any, instance: str, now: datetime) -> bytes:
    """The line about *stream*, a :class:`~twisted_lab.interfaces.StreamView`.

    *instance* names this server among its like.
    """
    return _line(
        peer=stream.peer,
        local=show(stream.getHost()),
        transport=stream.kind,
        tls=stream.tls,
        proxy=None if stream.proxy is None else stream.proxy.as_json(),
        instance=instance,
        connection=stream.id,
        now=now,
    )


def describe_datagram(transport: Any, peer: tuple[str, int], instance: str, now: datetime) -> bytes:
    """The line about a datagram from *peer* to the port *transport*."""
    return _line(
        peer=show_pair(*peer),
        local=show(transport.getHost()),
        transport="udp",
        instance=instance,
        now=now,
    )


def _line(
    *,
    peer: str,
    local: str,
    transport: str,
    instance: str,
    now: datetime,
    tls: dict[str, str | None] | None = None,
    proxy: dict[str, Any] | None = None,
    connection: str | None = None,
) -> bytes:
    said = {
        "peer": peer,
        "local": local,
        "transport": transport,
        "tls": tls,
        "proxy": proxy,
        "instance": instance,
        "connection": connection,
        "time": now.isoformat(timespec="milliseconds"),
    }
    return json.dumps(said).encode("ascii") + b"\r\n"
