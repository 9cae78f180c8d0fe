"""A recording as a file that other programs open: packets, a picture, a page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

from twisted_lab.album import Album
from twisted_lab.brochure import page
from twisted_lab.capturing import PcapngForm
from twisted_lab.diagram import draw
from twisted_lab.outfile import write_file
from twisted_lab.playback import Run, open_recording, read_recording

#: Pixels of a picture that stands alone.
_WIDTH = 900


def export_pcapng(recording: str, target: str) -> None:
    """Write the events of the file *recording* as packets to *target*, or to stdout for ``-``.

    *target*, a file, appears when it is whole, here and below; a pipe or a device is written to as
    it is. Raises :class:`ConfigurationError` that names the file, and the line that is none of a
    recording.
    """
    with open_recording(recording) as lines:
        write_file(_blocks(lines, recording), target)


def export_svg(recording: str, target: str, connection: str | None = None) -> None:
    """Write the sequence diagram of one conversation: of *connection*, or the only one there is."""
    with open_recording(recording) as lines:
        chapter = Album(read_recording(lines, recording), connection).one(recording)
    picture = draw(chapter.events, peer=chapter.peer, local=chapter.local, width=_WIDTH)
    write_file([picture.encode()], target)


def export_html(recording: str, target: str, connection: str | None = None) -> None:
    """Write a page with the conversations of a recording, or with *connection* alone."""
    with open_recording(recording) as lines:
        album = Album(read_recording(lines, recording), connection)
    if connection is not None:
        album.one(recording)
    write_file([page(album, os.path.basename(recording)).encode()], target)


def _blocks(lines: BinaryIO, name: str) -> Iterator[bytes]:
    for one in read_recording(lines, name):
        if isinstance(one, Run):
            form = PcapngForm(one.epoch)
            yield form.begin()
        else:
            yield form.of(one)
