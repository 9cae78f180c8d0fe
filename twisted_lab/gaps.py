"""What stands for events that are left out: one gap, with the bytes that moved in it."""

from __future__ import annotations

from dataclasses import replace

from twisted_lab.events import DatagramReceived, DatagramSent, Event, Gap, Received, Sent


def moved_in(event: Event) -> int:
    """The bytes that came in with *event*, or in a gap."""
    if isinstance(event, Gap):
        return event.bytes_in
    return event.bytes if isinstance(event, Received | DatagramReceived) else 0


def moved_out(event: Event) -> int:
    """The bytes that went out with *event*, or in a gap."""
    if isinstance(event, Gap):
        return event.bytes_out
    return event.bytes if isinstance(event, Sent | DatagramSent) else 0


def widened(gap: Gap | None, event: Event, reason: str) -> Gap:
    """*gap*, up to and with *event*; the first *event* begins one, for *reason*.

    The events of a gap among them are counted if that gap knows how many they are.
    """
    if gap is None:
        connection = getattr(event, "connection", None)
        gap = Gap(event.ns, event.service, event.ns, reason, connection, count=0)
    more = event.count if isinstance(event, Gap) else 1
    return replace(
        gap,
        until=event.until if isinstance(event, Gap) else event.ns,
        bytes_in=gap.bytes_in + moved_in(event),
        bytes_out=gap.bytes_out + moved_out(event),
        count=None if gap.count is None or more is None else gap.count + more,
    )
