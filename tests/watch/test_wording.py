"""Calls as a C programmer reads them."""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.watch.wording import arguments_of


class ArgumentsTests(SynchronousTestCase):
    def test_receiving(self) -> None:
        """What may be flags is named; the room for ancillary data of recvmsg() is a number."""
        peek = int(socket.MSG_PEEK)
        for name, given, said in (
            ("recv", (100,), "100"),
            ("recv", (100, peek), "100, MSG_PEEK"),
            ("recvmsg", (100,), "100"),
            ("recvmsg", (100, 4), "100, 4"),
            ("recvmsg", (100, 4, peek), "100, 4, MSG_PEEK"),
        ):
            self.assertEqual(arguments_of(name, given), said)
