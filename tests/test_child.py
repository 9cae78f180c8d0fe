"""A bench in a process of its own."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from tests.folder import FolderTestCase
from twisted_lab.child import SOCKETLAB, Child, wait_for
from twisted_lab.errors import CannotServe

#: Announces what no bench does, and then ends by force alone.
_STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("  mine-2.0 tcp  127.0.0.1:7  [::1]:8   try: nc 127.0.0.1 7")
print("  mine-2.0 unix unix:/s      try: nc -U /s")
print("                certificate SHA-256 AB:CD")
print("Stop with Ctrl-C.", flush=True)
time.sleep(60)
"""


class ChildTests(FolderTestCase):
    def child(self, *command: str) -> Child:
        child = Child(command, self.folder)
        self.addCleanup(child.kill, 0.0)
        return child

    def test_announced(self) -> None:
        """What it announces is found again: services, transports, addresses, certificate; one
        that does not stop is ended by force."""
        child = self.child(sys.executable, "-c", _STUBBORN)
        child.wait_until_serving()
        self.assertEqual(child.addresses("mine-2.0"), ["127.0.0.1:7", "[::1]:8"])
        self.assertEqual(child.addresses("mine-2.0", "unix"), ["unix:/s"])
        self.assertEqual(child.addresses("other"), [])
        self.assertEqual(child.fingerprint, "AB:CD")
        child.kill(0.2)
        self.assertEqual(child.wait(), -signal.SIGKILL)

    def test_stop(self) -> None:
        """A stop is in order: exit status 0."""
        child = self.child(*SOCKETLAB, "serve", "echo", "--port", "0")
        child.wait_until_serving()
        self.assertIsNone(child.fingerprint)
        self.assertEqual(child.stop(), 0)

    def test_kill(self) -> None:
        """Ended at once it has ended in order, too."""
        child = self.child(*SOCKETLAB, "serve", "echo", "--port", "0", "--drain", "1h")
        child.wait_until_serving()
        child.kill()
        self.assertEqual(child.wait(), 0)

    def test_cannot(self) -> None:
        """One that ends instead of serving is told in its own last line."""
        child = self.child(*SOCKETLAB, "serve", "echo", "--port", "abc")
        with self.assertRaisesRegex(CannotServe, "^--port 'abc': expected"):
            child.wait_until_serving()
        with self.assertRaisesRegex(CannotServe, "^exit status 3$"):
            self.child(sys.executable, "-c", "raise SystemExit(3)").wait_until_serving()

    def test_patience(self) -> None:
        """One that never serves is given up, with what it printed."""
        child = self.child(
            sys.executable, "-c", "import time; print('hm', flush=True); time.sleep(60)"
        )
        wait_for(lambda: child.output, 10)
        with self.assertRaisesRegex(CannotServe, "did not serve within 0.05 s: hm"):
            child.wait_until_serving(0.05)

    def test_folder(self) -> None:
        """What it prints is in its folder."""
        child = self.child(sys.executable, "-c", "print('hello')")
        child.wait()
        self.assertEqual((Path(self.folder) / "output").read_text(), "hello\n")
