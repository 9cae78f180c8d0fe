"""A watched program's calls as lines for a person: when, where, what, and what it meant."""

from __future__ import annotations

from collections.abc import Callable

from twisted_lab.diagram.svg import shown as preview
from twisted_lab.escaping import escape
from twisted_lab.events import Accepted, Connected, Event, Note
from twisted_lab.explaining import explain, span
from twisted_lab.explaining_calls import place, shown

#: Letters of what was sent that are shown.
_PREVIEW = 40

_DIM, _UNDIM = "\x1b[2m", "\x1b[22m"


class Lines:
    """An observer that tells each event with *tell*; *brief*: without its sentence.

    *dim*: the terminal can make what is ours fainter than what the program prints.
    """

    def __init__(self, tell: Callable[[str], object], *, brief: bool, dim: bool) -> None:
        self._tell = tell
        self._brief = brief
        self._dim = dim
        self._transports: dict[str, str] = {}

    def __call__(self, event: Event) -> None:
        """One line, or two; a diagnosis is :func:`told` whole."""
        if isinstance(event, Note) and event.kind == "diagnosis":
            return
        connection = getattr(event, "connection", None)
        if isinstance(event, Accepted | Connected):
            self._transports[event.connection] = event.transport
        transport = self._transports.get(connection or "", "")
        lines = [self._line(event, connection)]
        if not self._brief and not isinstance(event, Note):
            lines.append(f"{'':13}{explain(event, transport).says}")
        text = "\n".join(lines)
        self._tell(f"{_DIM}{text}{_UNDIM}" if self._dim else text)

    @staticmethod
    def _line(event: Event, connection: str | None) -> str:
        call = event.call
        if isinstance(event, Note) and call is not None:
            uncaught = f"{place(call)}  {call.name}(): {escape(event.text)}"
            return f"[{span(event.ns, 4):>9}]  {uncaught}"
        if call is None:
            return f"[{span(event.ns, 4):>9}]  {explain(event).says}"
        data = getattr(event, "data", None)
        said = [place(call), connection or "", shown(call), preview(data, _PREVIEW) if data else ""]
        return f"[{span(event.ns, 4):>9}]  " + "  ".join(filter(None, said))
