"""A recording as one page of HTML that stands alone: no script, no address outside, printable."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from twisted_lab import __version__
from twisted_lab.album import Album, Chapter
from twisted_lab.album_facts import facts
from twisted_lab.diagram import draw, draw_both
from twisted_lab.diagram.bounding import bounded
from twisted_lab.diagram.svg import shown as preview
from twisted_lab.escaping import escape
from twisted_lab.events import Event
from twisted_lab.explaining import counted, explain, span, transport_of
from twisted_lab.hexdump import dump
from twisted_lab.pairing import Pair, pairs
from twisted_lab.paper import NARROW, WIDE, document, in_html, in_widths

#: Bytes of a message shown: what is more is said to be.
SHOWN = 1024

#: Events on a page, of all conversations together: some 10 MB, which a browser still opens at once.
MOST_EVENTS = 4000


def page(album: Album, name: str) -> str:
    """The HTML of *album*, which was read from the file *name*."""
    title = f"socketlab: {escape(name)}"
    body = [f"<h1>{in_html(title)}</h1>", _summary(album), _LEGEND]
    if len(album.chapters) > 1:
        body.append(_contents(album.chapters, album.runs > 1))
    fair = share([len(chapter.events) for chapter in album.chapters], MOST_EVENTS)
    both = {_anchor(pair.left): pair for pair in pairs(album.chapters)}
    for chapter in album.chapters:
        if (pair := both.get(_anchor(chapter))) is not None:
            body.append(_both(pair, album.runs > 1))
        body.append(_chapter(chapter, album.runs > 1, fair))
    return document(title, "".join(body))


#: What the marks mean; docs/diagram.md says more.
_LEGEND = """<details class="legend"><summary>How to read the pictures</summary>
<ul>
<li>Time runs down, by the bench's own clock: an arrow stands where the bench saw it, and is level
because nobody knows when it left the peer.</li>
<li>Arrow: the bytes of one read, or of one write. Dotted arrow with a box: a datagram.</li>
<li>Double line that ends at a bar: FIN (over TLS close_notify). That side's line is dashed below
it.</li>
<li>Zigzag with a cross: RST. Thick line: the end.</li>
<li>Filled bar at the peer: its window is full. Hollow bar at the bench: it does not read.</li>
<li>Both ends: lines fall from who sends to who receives, for the clock is one. A bar along a
lifeline is a call that blocked; a line that ends in a cross never came, or was never read.</li>
<li>Two strokes across: a silence is left out. Waves: events are missing.</li>
</ul></details>
"""


def _summary(album: Album) -> str:
    number = counted(len(album.chapters) + album.left_out, "conversation")
    said = f"{number} in {counted(album.runs, 'run')}, shown by socketlab {__version__}."
    if album.left_out:
        said += f" The first {len(album.chapters)} are here; {album.left_out} are left out."
    return f"<p>{in_html(said)}</p>\n"


def _contents(chapters: Sequence[Chapter], several: bool) -> str:
    rows = "".join(
        f'<tr><td><a href="#{_anchor(one)}">{in_html(_title(one, several))}</a></td>'
        f"<td>{in_html(escape(one.service))}</td><td>{in_html(escape(one.peer))}</td>"
        f"<td>{one.bytes_in:,}</td><td>{one.bytes_out:,}</td>"
        f"<td>{in_html(_end(one))}</td></tr>\n"
        for one in chapters
    )
    heads = "".join(f"<th>{word}</th>" for word in ("", "service", "peer", "in", "out", "ended by"))
    return f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table>\n"


def _end(chapter: Chapter) -> str:
    still = "" if chapter.id.startswith("d") else "still open"  # datagrams have no end
    return escape(chapter.reason) or still


def _anchor(chapter: Chapter) -> str:
    return in_html(f"r{chapter.run}-{chapter.id}")


def _title(chapter: Chapter, several: bool) -> str:
    return f"{chapter.run}/{escape(chapter.id)}" if several else escape(chapter.id)


def share(sizes: Sequence[int], most: int) -> int:
    """So many of each may be shown that it is *most* in all; what one does not need others have."""
    left = most
    for number, size in enumerate(sorted(sizes)):
        fair = left // (len(sizes) - number)
        if size > fair:
            return fair
        left -= size
    return max(sizes, default=0)


def _chapter(chapter: Chapter, several: bool, most: int) -> str:
    events = [event for _, event in bounded(chapter.events, most)]
    transport = transport_of(events)
    entries = "".join(_entry(event, events[0].ns, transport) for event in events)
    return (
        f'<section id="{_anchor(chapter)}">\n'
        f"<h2>{in_html(_title(chapter, several))}: {in_html(escape(chapter.service))}</h2>\n"
        f"{_facts(chapter, events)}"
        f"<figure>{_pictures(chapter, events)}</figure>\n<ol>\n{entries}</ol>\n</section>\n"
    )


def _both(pair: Pair, several: bool) -> str:
    """The picture of both ends, before what is said of each."""
    left, right = pair.ends()
    picture = partial(draw_both, left, right, standalone=False)
    links = " and ".join(
        f'<a href="#{_anchor(one)}">{in_html(_title(one, several))}</a>'
        for one in (pair.left, pair.right)
    )
    wide, narrow = picture(width=WIDE), picture(width=NARROW)
    return (
        f'<section id="{_anchor(pair.left)}-both">\n'
        f"<h2>{in_html(escape(left.name))} and {in_html(escape(right.name))}: both ends</h2>\n"
        f"<p>{links} are two ends of one conversation. Each send is joined to the recvs that got"
        f" its bytes.</p>\n<figure>{in_widths(wide, narrow)}</figure>\n</section>\n"
    )


def _pictures(chapter: Chapter, events: Sequence[Event]) -> str:
    """One for each width; the style shows the one that fits."""
    picture = partial(draw, events, peer=chapter.peer, local=chapter.local, standalone=False)
    picture = partial(picture, names=chapter.names)
    return in_widths(picture(width=WIDE), picture(width=NARROW))


def _facts(chapter: Chapter, events: Sequence[Event]) -> str:
    rows = "".join(
        f"<div><dt>{term}</dt><dd><bdi>{in_html(said)}</bdi></dd></div>\n"
        for term, said in facts(chapter, events)
    )
    return f"<dl>\n{rows}</dl>\n"


def _entry(event: Event, start: int, transport: str) -> str:
    explained = explain(event, transport)
    call = f" <code>{in_html(explained.call)}</code>" if explained.call else ""
    return (
        f"<li><b>{span(event.ns - start, 4)}</b> <i>{event.event}</i>"
        f" {in_html(explained.says)}{call}{_bytes(event)}</li>\n"
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
        f"<details><summary><bdi>{in_html(preview(shown, 60))}</bdi></summary>"
        f"<pre>{in_html(text)}</pre><pre>{in_html(dump(shown) + more)}</pre></details>"
    )
