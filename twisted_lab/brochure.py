"""A recording as one page of HTML that stands alone: no script, no address outside, printable."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape as in_html
from importlib import resources

from twisted_lab import __version__
from twisted_lab.album import Album, Chapter
from twisted_lab.diagram import draw
from twisted_lab.diagram.drawing import style
from twisted_lab.escaping import escape
from twisted_lab.events import Event
from twisted_lab.explaining import counted, explain, span, transport_of

#: Bytes of a message shown: what is more is said to be.
SHOWN = 1024

_WIDTH = 600
_A_LINE = 16


def page(album: Album, name: str) -> str:
    """The HTML of *album*, which was read from the file *name*."""
    title = f"socketlab: {escape(name)}"
    body = [f"<h1>{_text(title)}</h1>", _summary(album)]
    if len(album.chapters) > 1:
        body.append(_contents(album.chapters, album.runs > 1))
    body += [_chapter(chapter, album.runs > 1) for chapter in album.chapters]
    sheet = (resources.files("twisted_lab") / "brochure.css").read_text("utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy"'
        " content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>\n{sheet}{style()}</style></head>\n"
        f"<body><main>\n{''.join(body)}</main></body></html>\n"
    )


def _text(said: str) -> str:
    return in_html(said, quote=True)


def _summary(album: Album) -> str:
    number = counted(len(album.chapters) + album.left_out, "conversation")
    said = f"{number} in {counted(album.runs, 'run')}, shown by socketlab {__version__}."
    if album.left_out:
        said += f" The first {len(album.chapters)} are here; {album.left_out} are left out."
    return f"<p>{_text(said)}</p>\n"


def _contents(chapters: Sequence[Chapter], several: bool) -> str:
    rows = "".join(
        f'<tr><td><a href="#{_anchor(one)}">{_text(_title(one, several))}</a></td>'
        f"<td>{_text(escape(one.service))}</td><td>{_text(escape(one.peer))}</td>"
        f"<td>{one.bytes_in:,}</td><td>{one.bytes_out:,}</td>"
        f"<td>{_text(_end(one))}</td></tr>\n"
        for one in chapters
    )
    heads = "".join(f"<th>{word}</th>" for word in ("", "service", "peer", "in", "out", "ended by"))
    return f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table>\n"


def _end(chapter: Chapter) -> str:
    still = "" if chapter.id.startswith("d") else "still open"  # datagrams have no end
    return escape(chapter.reason) or still


def _anchor(chapter: Chapter) -> str:
    return _text(f"r{chapter.run}-{chapter.id}")


def _title(chapter: Chapter, several: bool) -> str:
    return f"{chapter.run}/{escape(chapter.id)}" if several else escape(chapter.id)


def _chapter(chapter: Chapter, several: bool) -> str:
    events = chapter.events
    picture = draw(events, peer=chapter.peer, local=chapter.local, width=_WIDTH, standalone=False)
    transport = transport_of(events)
    entries = "".join(_entry(event, events[0].ns, transport) for event in events)
    return (
        f'<section id="{_anchor(chapter)}">\n'
        f"<h2>{_text(_title(chapter, several))}: {_text(escape(chapter.service))}</h2>\n"
        f"<p>{_text(_facts(chapter, events))}</p>\n"
        f"<figure>{picture}</figure>\n<ol>\n{entries}</ol>\n</section>\n"
    )


def _facts(chapter: Chapter, events: Sequence[Event]) -> str:
    seconds = (chapter.start.epoch + events[0].ns) / 1e9
    began = datetime.fromtimestamp(seconds, chapter.start.started.tzinfo)
    ends = f"{escape(chapter.peer) or 'a peer without a name'} and {escape(chapter.local)}"
    moved = f"{counted(chapter.bytes_in)} came, {counted(chapter.bytes_out)} went"
    return f"{ends}, on {began:%Y-%m-%d at %H:%M:%S.%f %Z}: {moved}."


def _entry(event: Event, start: int, transport: str) -> str:
    explained = explain(event, transport)
    call = f" <code>{_text(explained.call)}</code>" if explained.call else ""
    return (
        f"<li><b>{span(event.ns - start, 4)}</b> <i>{event.event}</i>"
        f" {_text(explained.says)}{call}{_bytes(event)}</li>\n"
    )


def _bytes(event: Event) -> str:
    data: bytes = getattr(event, "data", None) or b""
    if not data:
        return ""
    shown = data[:SHOWN]
    left = getattr(event, "bytes", len(data)) - len(shown)
    more = f"\n… {left:,} more, not recorded or not shown" if left > 0 else ""
    text = escape(shown, SHOWN)
    return (
        f"<details><summary>{_text(escape(shown, 60))}</summary>"
        f"<pre>{_text(text)}</pre><pre>{_text(dump(shown) + more)}</pre></details>"
    )


def dump(data: bytes, start: int = 0) -> str:
    """*data* as hex and ASCII, 16 bytes a line; its first byte is number *start*."""
    lines = []
    for at in range(0, len(data), _A_LINE):
        part = data[at : at + _A_LINE]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{start + at:04x}  {part.hex(' '):<{3 * _A_LINE}} {letters}")
    return "\n".join(lines)
