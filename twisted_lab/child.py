"""A bench in a process of its own, and what it announced; needs no reactor here."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted_lab.errors import CannotServe

#: Seconds after which a child that neither serves nor ends has failed.
PATIENCE = 30.0

#: Seconds between two looks, and between two signals to one that shall stop at once.
_STEP = 0.01
_AGAIN = 0.1

#: ``socketlab`` of this Python, whatever PATH says.
SOCKETLAB = (sys.executable, "-m", "twisted_lab")

_LINE = re.compile(
    r"^  (\S+) +((?:haproxy:)?(?:tcp|udp|tls|unix)) +(.+?) +try: (.+)$", re.MULTILINE
)
_CERTIFICATE = re.compile(r"certificate SHA-256 ([0-9A-F:]+)")
_LAST = "Stop with Ctrl-C."


class Child:
    """*command*, which is socketlab with its arguments, running.

    What it prints goes to the file ``output`` of *folder*; *environment* is added to ours.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        **popen: Any,
    ) -> None:
        self._output = folder / "output"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                **popen,
            )

    @property
    def pid(self) -> int:
        """Its process."""
        return self.process.pid

    @property
    def output(self) -> str:
        """What it printed so far, stdout and stderr together."""
        return self._output.read_text(errors="replace")

    def wait_until_serving(self, patience: float = PATIENCE) -> None:
        """Return when all its ports are open.

        Raises :class:`CannotServe` when it ends instead, with its own last line, or when
        *patience* seconds were not enough.
        """
        try:
            wait_for(lambda: _LAST in self.output or self.process.poll() is not None, patience)
        except TimeoutError:
            raise CannotServe(f"it did not serve within {patience:g} s: {self.output}") from None
        if self.process.poll() is not None:
            said = self.output.strip().splitlines() or [f"exit status {self.process.returncode}"]
            raise CannotServe(said[-1].removeprefix("socketlab serve: "))

    def announced(self) -> list[tuple[str, str, str]]:
        """Service, transport and address of each port, as announced."""
        return [
            (name, transport, address)
            for name, transport, where, _ in _LINE.findall(self.output)
            for address in where.split()
        ]

    def addresses(self, service: str, transport: str = "tcp") -> list[str]:
        """Where *service* listens on *transport*."""
        return [
            address
            for name, kind, address in self.announced()
            if (name, kind) == (service, transport)
        ]

    @property
    def fingerprint(self) -> str | None:
        """The SHA-256 of its (first) certificate, ``AB:CD:…``, if it has one."""
        found = _CERTIFICATE.search(self.output)
        return found[1] if found else None

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def wait(self, timeout: float = PATIENCE) -> int:
        """Its exit status, when it has one."""
        return self.process.wait(timeout)

    def stop(self, number: int = signal.SIGTERM, timeout: float = PATIENCE) -> int:
        """Stop it as a person would, its connections first; its exit status."""
        self.send_signal(number)
        return self.wait(timeout)

    def kill(self, patience: float = 5.0) -> None:
        """End it whatever it does: at once but in order, so that its files are whole, or by force.

        A second SIGTERM stops at once; two sent together may arrive as one.
        """
        until = time.monotonic() + patience
        while self.process.poll() is None and time.monotonic() < until:
            self.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(_AGAIN)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def wait_for(true: Callable[[], object], patience: float) -> None:
    """Return once *true()* is; raises TimeoutError after *patience* seconds."""
    until = time.monotonic() + patience
    while not true():
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(_STEP)
