"""What a child recorded: which connections it had, and how each ended."""

from __future__ import annotations

from typing import Any

from tests.integration import peers
from tests.integration.child import Child

#: The options with which a child records every event, without payload.
RECORDING = ("--record", "recording.jsonl", "--capture", "0")


def recorded(child: Child, event: str) -> list[dict[str, Any]]:
    """The events called *event*, in order; all that came, a fifth of a second later."""
    return peers.recorded(child.folder / "recording.jsonl", event)


def ends(child: Child) -> list[dict[str, Any]]:
    """Every ``closed`` of *child*, which has ended; fails unless there is one a connection."""
    opened = [event["connection"] for event in recorded(child, "accepted")]
    closed = recorded(child, "closed")
    if len(set(opened)) != len(opened):
        raise AssertionError("two connections have the same id")
    if sorted(opened) != sorted(event["connection"] for event in closed):
        raise AssertionError(f"{len(opened)} accepted and {len(closed)} closed, or not the same")
    return closed
