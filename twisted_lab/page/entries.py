"""An event as the page shows it: as it is recorded, with a sentence and its system call."""

from __future__ import annotations

from typing import Any

from twisted_lab.events import Event, Gap
from twisted_lab.explaining import explain
from twisted_lab.explaining_calls import place
from twisted_lab.jsonlines import as_dict


def entry(event: Event, transport: str = "") -> dict[str, Any]:
    """*event* as JSON's types; ``seq`` is its ns, in whose order events come.

    *transport* is what its connection goes over, where that is known. Of a watched program's call
    ``called`` is the record, and ``place`` the line of the source.
    """
    explained = explain(event, transport)
    said = as_dict(event) | {"says": explained.says}
    if event.call is not None:
        said |= {"called": said.pop("call"), "place": place(event.call)}
    if explained.call is not None:
        said["call"] = explained.call
    if not isinstance(event, Gap):
        said["seq"] = event.ns
    return said
