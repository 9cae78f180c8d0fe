"""Reading back what a child recorded with ``--record``."""

from __future__ import annotations

import json
from typing import Any

from tests.integration.child import Child

#: The options with which a child records every event, without payload.
RECORDING = ("--record", "recording.jsonl", "--capture", "0")


def recorded(child: Child, *names: str) -> list[dict[str, Any]]:
    """The events called *names* in the recording of *child*, in order.

    They are in the file within a fifth of a second, and all of them once it has ended.
    """
    text = (child.folder / "recording.jsonl").read_text()
    events = [json.loads(line) for line in text[: text.rfind("\n")].splitlines()[1:]]
    return [event for event in events if event["event"] in names]


def ends(child: Child) -> list[dict[str, Any]]:
    """The ``closed`` events of *child*, which has ended; fails unless there is one a connection."""
    opened = [event["connection"] for event in recorded(child, "accepted")]
    closed = recorded(child, "closed")
    if len(set(opened)) != len(opened):
        raise AssertionError("two connections have the same id")
    if sorted(opened) != sorted(event["connection"] for event in closed):
        raise AssertionError(f"{len(opened)} accepted, but {len(closed)} closed, or others")
    return closed
