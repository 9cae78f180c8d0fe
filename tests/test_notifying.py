"""systemd hears when all ports are open and when we stop; nobody has to listen."""

from __future__ import annotations

import socket

from tests.folder import FolderTestCase
from twisted_lab.notifying import Notifier


class NotifierTests(FolderTestCase):
    def listen(self, address: str) -> socket.socket:
        """A socket as systemd's, which keeps what it hears."""
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(opened.close)
        opened.settimeout(5)
        opened.bind(address)
        return opened

    def test_path(self) -> None:
        """Ready, reloading and stopping are said to the socket that is named by its path."""
        path = f"{self.folder}/notify"
        heard = self.listen(path)
        notifier = Notifier({"NOTIFY_SOCKET": path}, lambda: 7)
        for tell in (notifier.ready, notifier.reloading, notifier.stopping):
            tell()
        self.assertEqual(heard.recv(99), b"READY=1")
        self.assertEqual(heard.recv(99), b"RELOADING=1\nMONOTONIC_USEC=7")
        self.assertEqual(heard.recv(99), b"STOPPING=1")

    def test_abstract(self) -> None:
        """A name that begins with @ is in the abstract namespace."""
        heard = self.listen(f"\0{self.folder}")
        Notifier({"NOTIFY_SOCKET": f"@{self.folder}"}).ready()
        self.assertEqual(heard.recv(99), b"READY=1")

    def test_reload(self) -> None:
        """A reload is said before and after, also one that fails."""
        path = f"{self.folder}/notify"
        heard = self.listen(path)
        notifier = Notifier({"NOTIFY_SOCKET": path}, lambda: 7)
        done: list[str] = []
        notifier.around(lambda: done.append("reloaded"))()
        self.assertRaises(ZeroDivisionError, notifier.around(lambda: 1 / 0))
        self.assertEqual(done, ["reloaded"])
        said = [heard.recv(99).partition(b"\n")[0] for _ in range(4)]
        self.assertEqual(said, [b"RELOADING=1", b"READY=1"] * 2)

    def test_nobody(self) -> None:
        """Without NOTIFY_SOCKET, or with one that cannot be, nothing happens."""
        for environ in (
            {},
            {"NOTIFY_SOCKET": ""},
            {"NOTIFY_SOCKET": "vsock:2:1"},
            {"NOTIFY_SOCKET": f"{self.folder}/nobody"},
            {"NOTIFY_SOCKET": "/" + "x" * 300},
            {"NOTIFY_SOCKET": "/a\0b"},
            {"NOTIFY_SOCKET": "/\ud800"},
        ):
            Notifier(environ).ready()

    def test_deaf(self) -> None:
        """A socket that nobody reads costs no time, however often something is said."""
        path = f"{self.folder}/notify"
        self.listen(path)
        notifier = Notifier({"NOTIFY_SOCKET": path})
        for _ in range(2000):
            notifier.ready()

    def test_clock(self) -> None:
        """The time of a reload is on the clock that never steps."""
        path = f"{self.folder}/notify"
        heard = self.listen(path)
        Notifier({"NOTIFY_SOCKET": path}).reloading()
        self.assertRegex(heard.recv(99), rb"\ARELOADING=1\nMONOTONIC_USEC=[0-9]+\Z")
