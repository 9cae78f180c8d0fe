"""What the checker saw on the wire, in words: a line an event."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.conformance.log import Conversation
from twisted_lab.escaping import escape
from twisted_lab.events import Event, Gap
from twisted_lab.explaining import counted, span
from twisted_lab.telling import tell

#: Bytes shown of a message.
_SHOWN = 60


def lines(conversation: Conversation) -> Iterator[str]:
    """*conversation* as lines, safe to show: when, and what happened."""
    events = conversation.events
    for event in events:
        said = _said(event)
        if said is not None:
            yield f"{span(event.ns - events[0].ns, 4):>9}  {said}"


def _said(event: Event) -> str | None:
    if isinstance(event, Gap):
        return f"… {counted(event.count or 0, 'event')} more"
    said = tell(event, getattr(event, "transport", "") == "tls")
    data = getattr(event, "data", None)
    return said if not data or said is None else f"{said}: {escape(data, _SHOWN)}"
