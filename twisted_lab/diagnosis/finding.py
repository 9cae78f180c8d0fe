"""What a diagnosis is: a mistake by its name, where it was made, and how one knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from twisted_lab.events import Event
from twisted_lab.explaining_calls import place


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake that programs make: *name* is what it is called in options and files.

    *title* says it in words, *why* what comes of it, *mend* what to write instead.
    """

    name: str
    title: str
    why: str
    mend: str


@dataclass(frozen=True, slots=True)
class Finding:
    """*mistake* was made; *says* what was seen; of the events of *evidence* the last decided."""

    mistake: Mistake
    says: str
    evidence: tuple[Event, ...]

    @property
    def place(self) -> tuple[str, int] | None:
        """The file and the line of the decisive call."""
        call = self.evidence[-1].call
        if call is None or call.file is None or call.line is None:
            return None
        return call.file, call.line

    @property
    def where(self) -> str:
        """The same for people: ``server.py:12``; "" where it is not known."""
        call = self.evidence[-1].call
        return "" if call is None else place(call)

    def told(self) -> Iterator[str]:
        """What it has to say, a line each."""
        yield f"{self.where or 'somewhere'}: {self.mistake.title}"
        yield f"  seen  {self.says}"
        yield f"  why   {self.mistake.why}"
        yield f"  mend  {self.mistake.mend}"

    @property
    def connection(self) -> str | None:
        """Of which connection it is."""
        found: str | None = getattr(self.evidence[-1], "connection", None)
        return found
