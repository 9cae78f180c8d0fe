"""Strace's lines as records: which socket, which process, which bytes."""

from __future__ import annotations

import errno
import socket
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.watch.strace.calls import Calls
from twisted_lab.watch.strace.lines import Line

TCP = "AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP"
HOME = '{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("\\x3a")}'


class CallTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.calls = Calls(0, "program")
        self.now = 0

    def records(self, name: str, arguments: str, result: str | None, thread: int = 1) -> list[Any]:
        self.now += 10
        line = Line(thread, self.now, name, arguments, result, 1)
        return list(self.calls.records(line))

    def told(self, *line: Any) -> list[tuple[Any, ...]]:
        """Of each call: name, socket, arguments, result, error."""
        calls = [record for _, record in self.records(*line) if record[0] == "c"]
        return [(one[4], one[5], one[6], one[7], one[8]) for one in calls]

    def made(self, fd: int = 3) -> None:
        self.records("socket", TCP, f"{fd}<TCP:[9{fd}]>")

    def test_socket(self) -> None:
        """A socket is its process's first."""
        begins, (_, made) = self.records("socket", TCP, "3<TCP:[9]>")
        self.assertEqual(begins[1][:2], ("p", 1))
        self.assertEqual(made[5:8], ((1, 1), (socket.AF_INET, socket.SOCK_STREAM, 0), 3))

    def test_other_descriptors(self) -> None:
        """What is done to a file, or to the kernel's netlink, is not told."""
        self.assertEqual(self.told("socket", "AF_NETLINK, SOCK_RAW, 0", "4<NETLINK:[1]>"), [])
        self.assertEqual(self.told("read", '4<\\x2f>, "", 9', "0"), [])
        self.assertEqual(self.told("close", "4", "0"), [])

    def test_names(self) -> None:
        """send() and recv() are what libc makes of them; with an address they keep their names."""
        self.made()
        self.assertEqual(
            self.told("sendto", '3, "\\x61", 1, MSG_NOSIGNAL, NULL, 0', "1"),
            [("send", (1, 1), (1, socket.MSG_NOSIGNAL), 1, None)],
        )
        self.assertEqual(self.told("recvfrom", '3, "", 9, 0, NULL, NULL', "0")[0][0], "recv")
        self.assertEqual(
            self.told("sendto", f'3, "\\x61", 1, 0, {HOME}, 16', "1")[0][2], (1, (":", 80))
        )

    def test_errors(self) -> None:
        """An errno is a number; a call that the kernel makes again is not told."""
        self.made()
        self.assertEqual(
            self.told("connect", f"3, {HOME}, 16", "-1 ECONNREFUSED (…)"),
            [("connect", (1, 1), ((":", 80),), None, errno.ECONNREFUSED)],
        )
        self.assertEqual(self.told("recvfrom", "3, ", "? ERESTARTSYS (To be restarted)"), [])

    def test_duplicates(self) -> None:
        """A socket with two descriptors is closed with the second."""
        self.made()
        self.assertEqual(self.told("dup", "3<TCP:[93]>", "5<TCP:[93]>")[0][1], (1, 1))
        (_, first), (_, second) = (
            self.records("close", f"{fd}<TCP:[93]>", "0")[0] for fd in (3, 5)
        )
        self.assertEqual((first[10], second[10]), ({"held": True}, None))

    def test_over(self) -> None:
        """dup2() closes what had the descriptor."""
        self.made(3)
        self.made(4)
        told = self.told("dup2", "3<TCP:[93]>, 4<TCP:[94]>", "4<TCP:[93]>")
        self.assertEqual([one[:2] for one in told], [("close", (1, 2)), ("dup", (1, 1))])

    def test_fork(self) -> None:
        """A child holds its parent's sockets, whichever of them is heard of first."""
        for order in (("clone", 2), (2, "clone")):
            self.setUp()
            self.made()
            self.records("clone", "flags=SIGCHLD", None)
            records = []
            for one in order:
                if one == "clone":
                    records += self.records("clone", "flags=SIGCHLD", "2")
                else:
                    records += self.records("close", "3<TCP:[93]>", "0", 2)
            self.assertIn((2, ("f", (1, 1))), records, order)
            self.assertEqual([pid for pid, one in records if one[0] == "c"], [2])

    def test_threads(self) -> None:
        """A thread has its process's descriptors; the process ends with its last thread."""
        self.made()
        self.records("clone3", "{flags=CLONE_VM|CLONE_THREAD}", "2")
        self.assertEqual(self.told("listen", "3, 5", "0", 2)[0][1], (1, 1))
        self.assertEqual(self.records("", "", None, 2), [])
        self.assertEqual(self.records("", "", None, 1), [(1, ("x", self.now, (1, 1)))])

    def test_exec(self) -> None:
        """exec() closes what is close-on-exec."""
        self.made()
        told = self.told("execve", '"\\x61", ["\\x61"], 0x7f /* 9 vars */', "0")
        self.assertEqual(told[0][:2], ("close", (1, 1)))

    def test_inherited(self) -> None:
        """A socket that was there before is told of first, with its addresses."""
        first, second = self.told("read", '0<TCP:[1.1.1.1:2->3.3.3.3:4]>, "\\x61", 9', "1")
        self.assertEqual((first[0], second[0]), ("fromfd", "read"))

    def test_messages(self) -> None:
        """A message of several buffers; one that was cut."""
        self.made()
        (_, told), *_ = self.records(
            "recvmsg",
            f'3, {{msg_name={HOME}, msg_namelen=16, msg_iov=[{{iov_base="\\x61", iov_len=1}}],'
            " msg_iovlen=1, msg_flags=MSG_TRUNC}, 0",
            "1",
        )
        self.assertEqual(told[10], {"data": b"a", "peer": (":", 80), "cut": True})

    def test_waits(self) -> None:
        """A wait for a socket is told, with its time in seconds; one for a file is not."""
        self.made()
        self.assertEqual(
            self.told("poll", "[{fd=3<TCP:[93]>, events=POLLIN}], 1, 250", "0 (Timeout)"),
            [("poll", None, (0.25,), 0, None)],
        )
        self.assertEqual(self.told("poll", "[{fd=0, events=POLLIN}], 1, -1", "1"), [])
        self.assertEqual(
            self.told("select", "4, [3], NULL, NULL, {tv_sec=1, tv_usec=500000}", "1 (in [3])"),
            [("select", None, (1.5,), 1, None)],
        )
