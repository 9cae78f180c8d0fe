"""A recording as a file that other programs open: packets, a picture, a page."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from twisted_lab.album import Album, Chapter
from twisted_lab.brochure import page
from twisted_lab.capturing import PcapngForm
from twisted_lab.diagram import draw, draw_both
from twisted_lab.events import Event
from twisted_lab.outfile import write_file
from twisted_lab.pairing import Pair, pairs
from twisted_lab.playback import Run, open_recording, read_recording

#: Pixels of a picture that stands alone.
_WIDTH = 900


def export_pcapng(recordings: Sequence[str], target: str) -> None:
    """Write the events of the files *recordings* as packets to *target*, or to stdout for ``-``.

    *target*, a file, appears when it is whole, here and below; a pipe or a device is written to as
    it is. Raises :class:`ConfigurationError` that names the file, and the line that is none of a
    recording.
    """
    write_file(_blocks(_read(recordings)), target)


def export_svg(
    recordings: Sequence[str], target: str, connection: str | None = None, *, first: bool = False
) -> int:
    """Write the sequence diagram of one conversation: of *connection*, or the only one there is.

    Where both its ends were recorded, it is of both. *first*: of several the first is meant.
    Returns how many conversations there are, both ends counting as one; where there is none, and
    the first is meant, nothing is written.
    """
    name = recordings[0]
    album = Album(_read(recordings), connection)
    both = pairs(album.chapters)
    count = len(album.chapters) - len(both) + album.left_out
    pair = both[0] if both and (count == 1 or first) else None
    chapter = album.chapters[0] if first and album.chapters else None
    if first and not count:
        return 0
    if pair is None:
        chapter = chapter or album.one(name)
        pair = _pair_of(chapter, recordings)
    write_file([_picture(pair, chapter).encode()], target)
    return count


def _pair_of(chapter: Chapter, recordings: Sequence[str]) -> Pair | None:
    """*chapter* with its other end, where that was recorded, too."""
    chapters = Album(_read(recordings)).chapters
    same = (chapter.run, chapter.id)
    return next(
        (
            pair
            for pair in pairs(chapters)
            if same in ((pair.left.run, pair.left.id), (pair.right.run, pair.right.id))
        ),
        None,
    )


def _picture(pair: Pair | None, chapter: Chapter | None) -> str:
    if pair is not None:
        return draw_both(*pair.ends(), width=_WIDTH)
    assert chapter is not None
    return draw(
        chapter.events, peer=chapter.peer, local=chapter.local, names=chapter.names, width=_WIDTH
    )


def export_html(recordings: Sequence[str], target: str, connection: str | None = None) -> None:
    """Write a page with the conversations of recordings, or with *connection* alone."""
    album = Album(_read(recordings), connection)
    if connection is not None:
        album.one(recordings[0])
    write_file([page(album, ", ".join(map(os.path.basename, recordings))).encode()], target)


def _read(recordings: Sequence[str]) -> Iterator[Run | Event]:
    for name in recordings:
        with open_recording(name) as lines:
            yield from read_recording(lines, name)


def _blocks(recorded: Iterable[Run | Event]) -> Iterator[bytes]:
    for one in recorded:
        if isinstance(one, Run):
            form = PcapngForm(one.epoch)
            yield form.begin()
        else:
            yield form.of(one)
