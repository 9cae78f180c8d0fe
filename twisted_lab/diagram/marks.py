"""What each event looks like. Rule: no two kinds differ by colour alone.

Every mark is drawn with the text's own colour, and its classes; a style may give it another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted_lab.diagram.layout import Frame, Row
from twisted_lab.diagram.svg import element, held, line, path, room, shown, text, words
from twisted_lab.events import (
    BY_PEER,
    RESETS,
    Accepted,
    Called,
    Closed,
    CloseReason,
    Connected,
    DatagramDropped,
    DatagramReceived,
    DatagramSent,
    Event,
    Gap,
    Listening,
    LocalShutdown,
    Note,
    NotListening,
    Paused,
    PeerShutdown,
    Received,
    Refused,
    Resumed,
    Sent,
    Tls,
)
from twisted_lab.explaining import counted, end_of_direction, is_answer, span
from twisted_lab.explaining_calls import shown as shown_call

#: Pixels of a letter of the labels (12 px) and of what a peer sent (11 px, all as wide), about.
_LETTER, _MONO = 7.2, 6.8

#: How far above its line a label stands.
_ABOVE = 6.0


def mark(row: Row, frame: Frame) -> str:
    """The mark of *row*, without what is common to all."""
    return _MARKS[type(row.event)](row, row.event, row.y, frame)


def _label(frame: Frame, y: float, said: str, data: str | bytes = b"", **about: object) -> str:
    """*said* above a line, with some of *data* behind it where there is room."""
    left = int((frame.room - 20 - room(said) * _LETTER) / _MONO)
    inside = words(shown(said, int(frame.room / _LETTER)))
    if data and left > 4:
        preview = shown(data, left - 2)
        inside += "\N{EN SPACE}" + element("tspan", words(preview), class_="data", **_ISOLATED)
    place = {"x": frame.middle, "y": y - _ABOVE, "text_anchor": "middle", "class_": "label"}
    return _held(inside, element("text", inside, **place | about), y, frame)


#: So that a peer's words from right to left turn nothing else round.
_ISOLATED = {"direction": "ltr", "unicode_bidi": "isolate"}


def _held(said: str, drawn: str, y: float, frame: Frame) -> str:
    return held(
        said.replace("\N{EN SPACE}", " "), drawn, frame.peer + 1, y - 21, frame.room - 2, 20
    )


def _head(x: float, y: float, right: bool, kind: str = "full") -> str:
    """The head of an arrow that ends at *x*, pointing to the right or to the left."""
    back = -9 if right else 9
    wings = f"M{x + back:.1f} {y - 4.5:.1f} L{x:.1f} {y:.1f} L{x + back:.1f} {y + 4.5:.1f}"
    if kind == "full":
        return path(wings + " Z", class_="head", fill="currentColor", stroke="none")
    return path(wings, class_="head", fill="none", stroke="currentColor")


def _arrow(frame: Frame, y: float, inward: bool, **about: object) -> str:
    start, end = (frame.peer, frame.bench) if inward else (frame.bench, frame.peer)
    return line(start, y, end, y, class_="line", stroke="currentColor", **about)


def _box(frame: Frame, y: float, said: str, left: float = 0, **about: object) -> str:
    """*said* in a box between the lifelines, *left* pixels beside it left free, in its row."""
    said = shown(said, int((frame.room - 24 - 2 * left) / _LETTER))
    half = room(said) * _LETTER / 2 + 10
    place = {"x": frame.middle - half, "y": y - 15, "width": 2 * half, "height": 20.0}
    box = element("rect", **place, class_="box", fill="none", stroke="currentColor", **about)
    label = text(frame.middle, y - 1, said, text_anchor="middle", class_="label", **_ISOLATED)
    return box + held(said, label, frame.peer + 1, y - 15, frame.room - 2, 20)


def _bytes(row: Row, event: Received | Sent, y: float, frame: Frame) -> str:
    inward = isinstance(event, Received)
    head = _head(frame.bench if inward else frame.peer, y, inward)
    return _label(frame, y, counted(event.bytes), _data(event)) + _arrow(frame, y, inward) + head


def _data(event: Received | Sent | DatagramReceived | DatagramSent) -> str | bytes:
    """What is known of its bytes, and that there were more."""
    data = event.data or b""
    if not data or len(data) >= event.bytes:
        return data
    return data.decode("utf-8", "surrogateescape") + "…"


def _datagram(row: Row, event: DatagramReceived | DatagramSent, y: float, frame: Frame) -> str:
    """Whole: the arrow carries a box."""
    inward = isinstance(event, DatagramReceived)
    head = _head(frame.bench if inward else frame.peer, y, inward)
    start = frame.peer if inward else frame.bench - 10
    parcel = element(
        "rect", x=start, y=y - 5, width=10.0, height=10.0, fill="none", stroke="currentColor"
    )
    said = f"{counted(event.bytes)} in one datagram" if frame.room > 330 else counted(event.bytes)
    dashes = _arrow(frame, y, inward, stroke_dasharray="2 3")
    return _label(frame, y, said, _data(event)) + dashes + parcel + head


def _dropped(row: Row, event: DatagramDropped, y: float, frame: Frame) -> str:
    """It goes half the way."""
    start = frame.bench if is_answer(event.reason) else frame.peer
    label = _label(frame, y - 3, f"{counted(event.count, 'datagram')} dropped: {event.reason}")
    half = line(
        start, y, frame.middle, y, class_="line", stroke="currentColor", stroke_dasharray="2 3"
    )
    return label + half + _cross(frame.middle, y)


def _cross(x: float, y: float, size: float = 5) -> str:
    strokes = f"M{x - size:.1f} {y - size:.1f} l{2 * size:.1f} {2 * size:.1f} "
    strokes += f"M{x - size:.1f} {y + size:.1f} l{2 * size:.1f} {-2 * size:.1f}"
    return path(strokes, class_="cross", stroke="currentColor", stroke_width="2", fill="none")


def _opened(row: Row, event: Accepted | Connected, y: float, frame: Frame) -> str:
    """Three thin lines: TCP's handshake, which was over when we heard of it. Else one."""
    inward = isinstance(event, Accepted)
    said = "accepted" if inward else "connected"
    strokes = "".join(
        line(frame.peer, y + up, frame.bench, y + up, class_="line", stroke="currentColor",
             stroke_width="0.7", stroke_dasharray="6 3")
        for up in ((0,) if event.transport == "unix" else (-3, 0, 3))
    )  # fmt: skip
    head = _head(frame.bench if inward else frame.peer, y, inward, "open")
    return _label(frame, y - 2, f"{said} ({event.transport})") + strokes + head


def _refused(row: Row, event: Refused, y: float, frame: Frame) -> str:
    """It comes to a wall."""
    wall = frame.bench - 16
    return (
        _label(frame, y, f"refused: {event.reason}")
        + line(frame.peer, y, wall, y, class_="line", stroke="currentColor")
        + line(wall, y - 9, wall, y + 9, class_="line", stroke="currentColor", stroke_width="3")
    )


def _tls(row: Row, event: Tls, y: float, frame: Frame) -> str:
    failed = f"TLS failed: {event.error}"
    said = failed if event.error is not None else f"{event.version or 'TLS'} {event.cipher or ''}"
    cross = "" if event.error is None else _cross(frame.peer + 14, y - 5)
    return _box(frame, y, said.strip(), left=20 if cross else 0, rx="10") + cross


def _fin(y: float, frame: Frame, inward: bool, said: str) -> str:
    """A double line that ends at a bar: nothing more comes this way."""
    x = frame.bench if inward else frame.peer
    bar = x - 12 if inward else x + 12
    strokes = "".join(_arrow(frame, y + up, inward) for up in (-1.5, 1.5))
    stop = line(bar, y - 7, bar, y + 7, class_="line", stroke="currentColor", stroke_width="2")
    return _label(frame, y - 1, said) + strokes + stop + _head(x, y, inward)


def _peer_shutdown(row: Row, event: PeerShutdown, y: float, frame: Frame) -> str:
    return _fin(y, frame, True, end_of_direction(row.standing.transport))


def _local_shutdown(row: Row, event: LocalShutdown, y: float, frame: Frame) -> str:
    return _fin(y, frame, False, end_of_direction(row.standing.transport))


def _rst(y: float, frame: Frame, inward: bool, said: str) -> str:
    """A zigzag."""
    start, end = (frame.peer, frame.bench) if inward else (frame.bench, frame.peer)
    steps = 16
    points = [
        f"{start + (end - start) * step / steps:.1f} {y + (4 if step % 2 else -4):.1f}"
        for step in range(1, steps)
    ]
    zigzag = f"M{start:.1f} {y:.1f} L{' L'.join(points)} L{end:.1f} {y:.1f}"
    stroke = path(zigzag, class_="line", stroke="currentColor", fill="none", stroke_width="1.6")
    return _label(frame, y - 3, said) + stroke + _cross(end, y)


def _closed(row: Row, event: Closed, y: float, frame: Frame) -> str:
    """The peer's end, if it had not come before; or ours, if it had not gone; or neither."""
    reset = "reset" if row.standing.transport == "unix" else "RST"
    if event.reason is CloseReason.RESET:
        return _rst(y, frame, True, f"{reset} from the peer")
    if event.reason in RESETS:
        return _rst(y, frame, False, f"{reset}: {event.reason}")
    label = _label(frame, y - 1, f"closed: {event.reason}")
    inward = event.reason in BY_PEER and not row.standing.peer_done
    if row.standing.bench_done and not inward:
        return label + _stubs(y, frame)
    head = _head(frame.bench if inward else frame.peer, y, inward)
    return label + _arrow(frame, y, inward, stroke_width="3") + head


def _stubs(y: float, frame: Frame) -> str:
    """A thick piece at either lifeline: closed, and nothing more goes between them."""
    ends = ((frame.peer, frame.peer + 22), (frame.bench - 22, frame.bench))
    return "".join(
        line(start, y, end, y, class_="line", stroke="currentColor", stroke_width="3")
        for start, end in ends
    )


def _flow(row: Row, event: Paused | Resumed, y: float, frame: Frame) -> str:
    """Two bars, or a triangle, as on any player; at the side that waits."""
    x = frame.bench - 14 if event.direction == "in" else frame.peer + 14
    if isinstance(event, Paused):
        said = f"reading paused ({event.reason})"
        said = said if event.direction == "in" else "the peer's window is full"
        sign = element("rect", x=x - 5, y=y - 9, width=3.5, height=10.0, fill="currentColor")
        sign += element("rect", x=x + 1.5, y=y - 9, width=3.5, height=10.0, fill="currentColor")
    else:
        said = "reading again" if event.direction == "in" else "the window is open again"
        sign = path(f"M{x - 4:.1f} {y - 9:.1f} l9 5 l-9 5 Z", fill="currentColor")
    return text(frame.middle, y, said, text_anchor="middle", class_="label quiet") + sign


def _note(row: Row, event: Note, y: float, frame: Frame) -> str:
    if event.kind == "diagnosis":
        return element("g", _box(frame, y, event.text), class_="diagnosis")
    return _box(frame, y, f"{event.kind}: {event.text}", stroke_dasharray="1 2")


def _called(row: Row, event: Called, y: float, frame: Frame) -> str:
    """At the program's lifeline, for nothing went between the two."""
    if event.call is None:
        return ""
    said = shown(shown_call(event.call), int((frame.room - 24) / _LETTER))
    x = frame.bench - 8
    tick = line(
        frame.bench - 5, y - 4, frame.bench + 5, y - 4, class_="line", stroke="currentColor"
    )
    label = text(x, y, said, text_anchor="end", class_="label call", **_ISOLATED)
    return tick + held(said, label, frame.peer + 1, y - 15, frame.room - 2, 20)


def _port(row: Row, event: Listening | NotListening, y: float, frame: Frame) -> str:
    return _box(frame, y, f"{event.event} {event.local}")


def _gap(row: Row, event: Gap, y: float, frame: Frame) -> str:
    """The lifelines are broken; between them stands what is not known."""
    why = {"unwatched": "not watched", "evicted": "no longer kept", "overrun": "too many to show"}
    said = f"{why[event.reason]} for {span(event.until - event.ns)}"
    if event.bytes_in or event.bytes_out:
        more = f": {event.bytes_in:,} in, {event.bytes_out:,} out"
    else:
        more = "" if event.count is None else f": {counted(event.count, 'event')}"
    if (len(said) + len(more)) * _LETTER < frame.room:
        said += more  # else the sentence of the list has it
    waves = "".join(
        path(f"M{x - 7:.1f} {y + up:.1f} q3.5 -6 7 0 t7 0", fill="none", stroke="currentColor")
        for x in (frame.peer, frame.bench)
        for up in (-7, -2)
    )
    return waves + text(frame.middle, y, said, text_anchor="middle", class_="label quiet")


_MARKS: dict[type[Event], Callable[[Row, Any, float, Frame], str]] = {
    Listening: _port,
    NotListening: _port,
    Accepted: _opened,
    Connected: _opened,
    Refused: _refused,
    Tls: _tls,
    Received: _bytes,
    Sent: _bytes,
    Paused: _flow,
    Resumed: _flow,
    PeerShutdown: _peer_shutdown,
    LocalShutdown: _local_shutdown,
    Note: _note,
    Called: _called,
    Closed: _closed,
    DatagramReceived: _datagram,
    DatagramSent: _datagram,
    DatagramDropped: _dropped,
    Gap: _gap,
}
