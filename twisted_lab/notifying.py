"""What we tell systemd about ourselves, for ``Type=notify`` (sd_notify(3)).

Rule: nobody may listen, or may not want to hear it; the service goes on as if it had been heard.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping


class Notifier:
    """Sends to the socket that NOTIFY_SOCKET of *environ* names: a path, or ``@`` and a name in
    the abstract namespace (unix(7)). Without the variable nothing is sent.

    *microseconds* is CLOCK_MONOTONIC, which systemd compares with its own.
    """

    def __init__(
        self,
        environ: Mapping[str, str] = os.environ,
        microseconds: Callable[[], int] = lambda: time.monotonic_ns() // 1000,
    ) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        self._microseconds = microseconds

    def ready(self) -> None:
        """All ports are open; after :meth:`reloading`, the new settings hold."""
        self._send("READY=1")

    def reloading(self) -> None:
        """The settings are being read again; :meth:`ready` is to follow, also if they are bad."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={self._microseconds()}")

    def around(self, reload: Callable[[], object]) -> Callable[[], None]:
        """*reload*, said before and after, also when it raises."""

        def told() -> None:
            self.reloading()
            try:
                reload()
            finally:
                self.ready()

        return told

    def stopping(self) -> None:
        """No new connections from here on."""
        self._send("STOPPING=1")

    def _send(self, text: str) -> None:
        if not self._address.startswith(("/", "@")):
            return
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as said:
                said.setblocking(False)
                said.sendto(text.encode(), address)
        except (OSError, ValueError):  # nobody there, its buffer is full, or a path none can have
            return
