"""Calls made whole of strace's lines."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.watch.strace.lines import Frame, Line, Lines

WHOLE = "7 5.000000001 close(3<TCP:[1]>) = 0 <0.000000002>\n"
BEGUN = "7 6.000000000 recvfrom(3<TCP:[1]>,  <unfinished ...>\n"
RESUMED = '7 9.000000000 <... recvfrom resumed>"\\x61", 9, 0, NULL, NULL) = 1 <2.500000000>\n'


class LineTests(SynchronousTestCase):
    def calls(self, *texts: str) -> list[Line]:
        lines = Lines()
        return [*(call for text in texts for call in lines.take(text)), *lines.flush()]

    def test_whole(self) -> None:
        """A call on one line; its times are ns."""
        (found,) = self.calls(WHOLE)
        self.assertEqual(found, Line(7, 5 * 10**9 + 1, "close", "3<TCP:[1]>", "0", 2))

    def test_padded(self) -> None:
        """A small number of a process is padded."""
        self.assertEqual(self.calls(WHOLE.replace("7 ", "7     ", 1)), self.calls(WHOLE))

    def test_cut(self) -> None:
        """However the text is cut, the calls are the same."""
        for at in range(len(WHOLE)):
            self.assertEqual(self.calls(WHOLE[:at], WHOLE[at:]), self.calls(WHOLE), at)

    def test_broken_off(self) -> None:
        """A call that others came in the midst of has its own beginning, and all arguments."""
        begun, other, found = self.calls(BEGUN, WHOLE.replace("7", "8", 1), RESUMED)
        self.assertEqual((begun.result, other.thread), (None, 8))
        self.assertEqual(found.began, 6 * 10**9)
        self.assertEqual(found.took, 2_500_000_000)
        self.assertEqual(found.arguments, '3<TCP:[1]>, "\\x61", 9, 0, NULL, NULL')

    def test_end(self) -> None:
        """The end of a thread; what it was in is over."""
        *_, ended = self.calls(BEGUN, "7 9.000000000 +++ killed by SIGKILL +++\n", RESUMED)
        self.assertEqual((ended.name, ended.result), ("", None))

    def test_errors(self) -> None:
        """An error's name stands in the result."""
        (found,) = self.calls("7 1.000000000 read(3) = -1 EAGAIN (Resource …) <0.000000001>\n")
        self.assertEqual(found.result, "-1 EAGAIN (Resource …)")

    def test_stack(self) -> None:
        """The stack that follows is the call's; where the next line begins, it is whole."""
        stack = " > /lib/libc.so.6(close+0x7) [0x10]\n > /home/me/a (b)(main+0x1f) [0x1238]\n"
        lines = Lines()
        self.assertEqual(list(lines.take(WHOLE + stack)), [])
        (found,) = lines.take("8 6.0")
        self.assertEqual(found.stack[1], Frame("/home/me/a (b)", "main", 0x1238))

    def test_odd(self) -> None:
        """A line that is none is nobody's call."""
        self.assertEqual(self.calls("strace: oh\n", "7 1.000000000 --- SIGCHLD {} ---\n"), [])
