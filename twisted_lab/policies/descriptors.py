"""Out of descriptors: new connections are closed at once, before accept() itself would fail.

A listener whose accept() fails with EMFILE stays readable, so the loop spins, and log lines come
by the megabyte. Refusing while a few descriptors are left keeps both from happening, and leaves
room for what must still open: a log that is reopened, a child, a certificate.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted_lab import kernel
from twisted_lab.addresses import Host
from twisted_lab.interfaces import Refusal

#: Descriptors kept free for everything that is not an accepted connection.
RESERVE = 16


class Descriptors:
    """Refuses when the next descriptor would be one of the last *reserve*.

    *limit* and *next_descriptor* are the process's; see :mod:`twisted_lab.kernel`.
    """

    at_accept = True

    def __init__(
        self,
        limit: Callable[[], int | None] = kernel.descriptor_limit,
        next_descriptor: Callable[[], int | None] = kernel.next_descriptor,
        reserve: int = RESERVE,
    ) -> None:
        self._limit = limit
        self._next_descriptor = next_descriptor
        self._reserve = reserve
        self._unasked = 0  # connections until the kernel is asked again: asking is system calls

    def admit(self, host: Host) -> Refusal | None:
        """None, or why not."""
        if self._unasked > 0:
            self._unasked -= 1
            return None
        limit = self._limit()
        if limit is None:
            return None
        following = self._next_descriptor()
        if following is None or following >= limit - self._reserve:
            # Without a text: a line to say why would keep the descriptor for a second.
            return Refusal("descriptors", "")
        # Descriptors are given lowest first. A quarter of what is left: others take some, too.
        self._unasked = (limit - self._reserve - following) // 4
        return None
