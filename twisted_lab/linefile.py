"""A file of lines: appended to, rotated, reopened, and never left with half a line.

A disk that fills up cuts a write short. What was cut is taken back, where the file allows it, so
that whoever reads the file finds whole lines only. What a line is can be something else.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable

from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape

#: The mode of a file that may hold anybody's secrets.
PRIVATE = 0o600

#: What errno means here, where the system's words would puzzle.
_REASONS = {
    errno.ELOOP: "it is a symbolic link, and none is followed",
    errno.EWOULDBLOCK: "another process is writing it",
}

#: The descriptor of a file that is closed: none, and never somebody else's.
_CLOSED = -1


def open_to_append(path: str, mode: int) -> int:
    """A descriptor to append to *path*: made with *mode*, never blocking.

    With :data:`PRIVATE` it is nobody else's afterwards, no symbolic link, and no other process
    appends to it as we do (flock(2)): two would mix their lines. Raises
    :class:`ConfigurationError` that names the path and the reason.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0)
    if mode == PRIVATE:
        flags |= getattr(os, "O_NOFOLLOW", 0)
    try:
        fd = os.open(path, flags, mode)
        try:
            if mode == PRIVATE and stat.S_ISREG(os.fstat(fd).st_mode):
                os.fchmod(fd, mode)  # it may have been there, open to others
                _lock(fd)
        except OSError:
            os.close(fd)
            raise
    except (OSError, ValueError) as error:
        why = _REASONS.get(getattr(error, "errno", None) or 0) or getattr(error, "strerror", None)
        why = why or str(error)
        raise ConfigurationError(f"cannot write '{escape(path)}': {why}") from None
    return fd


def _lock(fd: int) -> None:
    try:
        from fcntl import LOCK_EX, LOCK_NB, flock
    except ImportError:  # pragma: no cover - Windows has no flock()
        return
    flock(fd, LOCK_EX | LOCK_NB)


def whole_lines(data: bytes, length: int) -> int:
    """How many of the first *length* bytes of *data* are whole lines."""
    return data.rfind(b"\n", 0, length) + 1


class LineFile:
    """Appends whole lines to *path*, made with *mode*.

    Over *rotate_bytes* the file becomes ``path.1`` and a new one is begun; *kept* of the old are
    kept. *write* is os.write(); *whole* says how much of what was cut short is whole lines. Raises
    :class:`ConfigurationError` when *path* cannot be opened.
    """

    def __init__(
        self,
        path: str,
        mode: int,
        rotate_bytes: int | None = None,
        kept: int = 0,
        write: Callable[[int, bytes], int] = os.write,
        whole: Callable[[bytes, int], int] = whole_lines,
    ) -> None:
        self.path = os.path.abspath(path)
        self._mode = mode
        self._rotate_bytes = rotate_bytes
        self._kept = kept
        self._write = write
        self._whole = whole
        self._fd = open_to_append(self.path, mode)
        self._size = os.fstat(self._fd).st_size

    def append(self, lines: bytes) -> int:
        """Write *lines*, each with its newline; how many bytes of whole lines got there.

        Raises OSError when that is none at all.
        """
        if self._rotate_bytes and self._size and self._size + len(lines) > self._rotate_bytes:
            self._rotate()
        written = self._write(self._fd, lines)
        if written < len(lines):
            written = self._take_back(written, self._whole(lines, written))
        self._size += written
        return written

    def _take_back(self, written: int, whole: int) -> int:
        try:
            os.ftruncate(self._fd, os.fstat(self._fd).st_size - written + whole)
        except OSError:
            return written  # a pipe or a device: what is out is out
        return whole

    def _rotate(self) -> None:
        new = f"{self.path}.new"
        try:
            fd = open_to_append(new, self._mode)
        except ConfigurationError:
            return  # the old one grows on: better than losing lines, or older files
        try:
            for number in range(self._kept - 1, 0, -1):
                _rename_if_there(f"{self.path}.{number}", f"{self.path}.{number + 1}")
            _rename_if_there(self.path, f"{self.path}.1")
            os.replace(new, self.path)
        except OSError:
            os.close(fd)
            os.unlink(new)
        else:
            self._use(fd)

    def _use(self, fd: int) -> None:
        old, self._fd = self._fd, fd
        self._size = os.fstat(fd).st_size
        os.close(old)

    def reopen(self) -> bool:
        """Go on in a new file of the same name if somebody moved the old one; whether that was so.

        Raises :class:`ConfigurationError`, and keeps the old one, when that cannot be opened.
        """
        if self._fd == _CLOSED or self._is_in_place():
            return False
        self._use(open_to_append(self.path, self._mode))
        return True

    def _is_in_place(self) -> bool:
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(self._fd))
        except OSError:
            return False

    def close(self) -> None:
        """Close the file; to append to it is then an OSError."""
        fd, self._fd = self._fd, _CLOSED
        if fd != _CLOSED:
            os.close(fd)


def _rename_if_there(old: str, new: str) -> None:
    if os.path.lexists(old):
        os.replace(old, new)
