"""One conversation as a ladder: two lifelines, time running down, each event drawn as what it is.

Rule this file owns: one event is one row, and no two kinds of event look alike, also without
colour. What is not known is not drawn: an end whose FIN or RST nobody told of is a line across.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from twisted_lab.events import RESETS
from twisted_lab.explaining import counted, end_of_direction, is_answer
from twisted_lab.live import amounts
from twisted_lab.live.glyphs import Glyphs
from twisted_lab.live.opened import Opened
from twisted_lab.live.tables import fit
from twisted_lab.live.values import Entry

#: Cells of a ladder's width from which there is room for the system call, and for the sentence.
_WITH_CALLS, _WITH_SENTENCES = 60, 100
_CALL = 20
#: Cells between the lifelines at most: longer arrows say nothing more, and a sentence does.
_SPAN, _SPAN_BESIDE_SENTENCES = 48, 40


@dataclass(frozen=True, slots=True)
class Ends:
    """How the two sides stand: whether each has sent FIN, and whose reading is paused."""

    peer_fin: bool = False
    local_fin: bool = False
    peer_paused: bool = False
    local_paused: bool = False
    secure: bool = False


@dataclass(frozen=True, slots=True)
class Sizes:
    """How a row is divided, in cells; ``call`` and ``says`` are 0 where there is no room."""

    time: int
    span: int
    call: int
    says: int


def sizes(width: int) -> Sizes:
    """How rows of *width* cells are divided: time, life, span, life, call, sentence."""
    time = 12 if width >= _WITH_CALLS else 9
    call = _CALL if width >= _WITH_CALLS else 0
    room = width - time - 3 - (call + 1 if call else 0)
    if width < _WITH_SENTENCES:
        return Sizes(time, max(min(room, _SPAN), 4), call, 0)
    return Sizes(time, _SPAN_BESIDE_SENTENCES, call, room - _SPAN_BESIDE_SENTENCES - 1)


def ladder(opened: Opened, width: int, glyphs: Glyphs) -> Iterator[Text]:
    """The rows of *opened*, each *width* cells at most, and one line each."""
    transport = getattr(opened.about, "transport", "")
    drawing = _Drawing(glyphs, sizes(width), _begin(opened), transport)
    yield from drawing.rows(opened.first)
    if opened.left_out:
        yield drawing.left_out(opened.left_out)
    yield from drawing.rows(opened.recent)


def _begin(opened: Opened) -> int:
    """The ns from which its times are told."""
    about = opened.about
    begin = getattr(about, "opened_ns", None)
    return int(getattr(about, "first_ns", 0)) if begin is None else int(begin)


class _Drawing:
    """Rows from events; remembers between them only how the two sides stand."""

    def __init__(self, glyphs: Glyphs, sizes: Sizes, begin: int, transport: str) -> None:
        self._glyphs = glyphs
        self._sizes = sizes
        self._begin = begin
        self._transport = transport
        self._ends = Ends()

    def rows(self, entries: Iterable[Entry]) -> Iterator[Text]:
        for entry in entries:
            draw = _DRAWN.get(entry.event, _Drawing._note)
            inside, style = draw(self, entry)
            yield self._row(entry, inside, style)
            self._ends = _next(self._ends, entry)

    def left_out(self, count: int) -> Text:
        inside = self._words(f"{count:,} events, no longer kept here")
        row = Text(" " * self._sizes.time, no_wrap=True)
        return row.append(self._dashed(inside), "dim")

    def _row(self, entry: Entry, inside: str, style: str) -> Text:
        """*inside* holds both lifelines."""
        size = self._sizes
        digits = 6 if size.call else 4
        time = amounts.moment(max(entry.ns - self._begin, 0), digits)
        row = Text(no_wrap=True, overflow="crop")
        row.append(set_cell_size(time.rjust(size.time - 1), size.time - 1) + " ", "dim")
        row.append(inside, style)
        if size.call:
            row.append(
                " " + set_cell_size(fit(entry.call, size.call, self._glyphs), size.call), "cyan"
            )
        if size.says > 0:
            row.append(" " + fit(entry.says, size.says, self._glyphs))
        return row

    def _lives(self, inside: str) -> str:
        left, right = self._side(peer=True), self._side(peer=False)
        return left + inside + right

    def _side(self, peer: bool) -> str:
        ends, glyphs = self._ends, self._glyphs
        if ends.peer_paused if peer else ends.local_paused:
            return glyphs.paused
        return glyphs.ended if (ends.peer_fin if peer else ends.local_fin) else glyphs.life

    def _dashed(self, inside: str) -> str:
        return self._glyphs.missing + inside + self._glyphs.missing

    def _words(self, text: str, at: Callable[[str, int], str] = str.center) -> str:
        """*text* alone between the lifelines."""
        text = f" {fit(text, self._sizes.span - 2, self._glyphs)} "
        missing = cell_len(text) - len(text)  # characters that take two cells
        return at(text, self._sizes.span - missing)

    def _arrow(self, text: str, stroke: str, inward: bool, head: str = "") -> str:
        """An arrow with *text* in it; *inward*: from the peer to the bench."""
        glyphs, room = self._glyphs, self._sizes.span - 1
        label = f" {fit(text, room - 4, glyphs)} "
        missing = cell_len(label) - len(label)
        shaft = label.center(room - missing, "\0").replace("\0", stroke)
        if inward:
            return self._lives(shaft + (head or glyphs.right))
        return self._lives((head or glyphs.left) + shaft)

    def _begun(self, entry: Entry) -> tuple[str, str]:
        return self._arrow(entry.event, self._glyphs.rare, entry.event == "accepted"), "bold"

    def _tls(self, entry: Entry) -> tuple[str, str]:
        if entry.error:
            return self._lives(self._words("TLS failed")), "bold red"
        return self._lives(self._both("TLS is up", self._glyphs.rare)), "blue"

    def _both(self, text: str, stroke: str) -> str:
        """An arrow with two heads."""
        shaft = f" {text} ".center(self._sizes.span - 2, "\0").replace("\0", stroke)
        return self._glyphs.left + shaft[: self._sizes.span - 2] + self._glyphs.right

    def _moved(self, entry: Entry) -> tuple[str, str]:
        inward = entry.event in ("received", "datagram-received")
        datagram = entry.event.startswith("datagram")
        stroke = self._glyphs.datagram if datagram else self._glyphs.data
        style = "green" if inward else "blue"
        text = counted(entry.bytes or 0)
        text = f'{text} "{entry.text}"' if entry.text else text
        return self._arrow(text, stroke, inward), style

    def _dropped(self, entry: Entry) -> tuple[str, str]:
        count = f"{entry.count:,} " if entry.count not in (None, 1) else ""
        inward = not is_answer(entry.reason)
        text = f"{count}dropped: {entry.reason}"
        glyphs = self._glyphs
        return self._arrow(text, glyphs.datagram, inward, glyphs.dropped), "yellow"

    def _paused(self, entry: Entry) -> tuple[str, str]:
        glyphs, inward = self._glyphs, entry.direction == "in"
        if entry.event == "resumed":
            word = "reading resumed" if inward else "peer reads again"
            text, mark = word, glyphs.resume
        else:
            why = f" ({entry.reason})" if entry.reason else ""
            text, mark = f"reading paused{why}" if inward else "peer does not read", glyphs.pause
        if inward:
            return self._lives(self._words(f"{text} {mark}", str.rjust)), "yellow"
        return self._lives(self._words(f"{mark} {text}", str.ljust)), "yellow"

    def _fin(self, entry: Entry) -> tuple[str, str]:
        """Of the peer's nobody knows whether it is a half-close: it may have closed."""
        inward = entry.event == "peer-shutdown"
        text = self._end_word if inward else f"{self._end_word} (half-close)"
        return self._arrow(text, self._glyphs.fin, inward), "magenta"

    @property
    def _end_word(self) -> str:
        """What ends one direction: FIN, unless something else counts or there is none."""
        return end_of_direction("tls" if self._ends.secure else self._transport)

    def _closed(self, entry: Entry) -> tuple[str, str]:
        """The end: as an arrow where the reason says which came, and from whom."""
        glyphs, reason = self._glyphs, entry.reason
        rst = "reset" if self._transport == "unix" else "RST"
        if reason == "reset":
            return self._arrow(f"{rst}, or lost", glyphs.rst, True), "bold red"
        if reason in RESETS:
            return self._arrow(f"{rst}: {reason}", glyphs.rst, False), "bold red"
        if reason == "truncated":
            return self._arrow("FIN, no close_notify", glyphs.fin, True), "bold red"
        if reason == "peer-fin" and not self._ends.peer_fin:
            return self._arrow(f"{self._end_word}: closed", glyphs.fin, True), "magenta"
        style = "bold" if reason in ("peer-fin", "local") else "bold yellow"
        text = f" {fit(f'closed: {reason}', self._sizes.span - 2, glyphs)} "
        line = text.center(self._sizes.span, "\0").replace("\0", glyphs.data)
        return glyphs.corner_left + line + glyphs.corner_right, style

    def _gap(self, entry: Entry) -> tuple[str, str]:
        moved = [
            f"{amounts.size(count)} {word}"
            for count, word in ((entry.bytes_in, "in"), (entry.bytes_out, "out"))
            if count
        ]
        events = "events" if entry.count is None else f"{entry.count:,} events"
        text = ", ".join([f"{events} {_MISSING.get(entry.reason, entry.reason)}", *moved])
        return self._dashed(self._words(text)), "dim"

    def _note(self, entry: Entry) -> tuple[str, str]:
        text = entry.says if entry.event == "note" else entry.event
        return self._lives(self._words(f"{self._glyphs.dot} {text}", str.ljust)), "yellow"


#: Why events are missing, in a word or two.
_MISSING = {"unwatched": "not watched", "evicted": "made room", "overrun": "missed"}

_DRAWN: dict[str, Callable[[_Drawing, Entry], tuple[str, str]]] = {
    "accepted": _Drawing._begun,
    "connected": _Drawing._begun,
    "tls": _Drawing._tls,
    "received": _Drawing._moved,
    "sent": _Drawing._moved,
    "datagram-received": _Drawing._moved,
    "datagram-sent": _Drawing._moved,
    "datagram-dropped": _Drawing._dropped,
    "paused": _Drawing._paused,
    "resumed": _Drawing._paused,
    "peer-shutdown": _Drawing._fin,
    "local-shutdown": _Drawing._fin,
    "closed": _Drawing._closed,
    "gap": _Drawing._gap,
}


def _next(ends: Ends, entry: Entry) -> Ends:
    """How the sides stand after *entry*."""
    if entry.event in ("paused", "resumed"):
        paused = entry.event == "paused"
        if entry.direction == "in":
            return replace(ends, local_paused=paused)
        return replace(ends, peer_paused=paused)
    if entry.event == "peer-shutdown":
        return replace(ends, peer_fin=True)
    if entry.event == "local-shutdown":
        return replace(ends, local_fin=True)
    return replace(ends, secure=not entry.error) if entry.event == "tls" else ends
