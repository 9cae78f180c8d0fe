"""Whatever the name of a socket, a shell, Python and C read back the same bytes."""

from __future__ import annotations

import ast
import re
import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.trying.quoting import for_c, for_python, for_shell, for_socat

#: Bytes a path may have, the odd ones often.
NAMES = st.binary(min_size=1, max_size=20) | st.text(min_size=1, max_size=20).map(
    lambda text: text.encode("utf-8", "replace")
)

#: What a person reads must be one line in which each character is seen for what it is.
HOSTILE = (b"a\nb", b"\x1b[31mred", "abc\u202edef".encode(), "zero\u200bwidth".encode(), b"\xff")


class QuotingTests(SynchronousTestCase):
    @settings(max_examples=50, deadline=None)
    @given(NAMES)
    def test_shell(self, data: bytes) -> None:
        """A shell passes it on as it is."""
        data = data.replace(b"\0", b"").rstrip(b"\n") or b"x"
        command = ["sh", "-c", f"printf %s {for_shell(data)}"]
        self.assertEqual(subprocess.run(command, capture_output=True, check=True).stdout, data)

    @given(NAMES)
    def test_python(self, data: bytes) -> None:
        """Python reads the literal as the same, in text or in bytes."""
        read = ast.literal_eval(for_python(data))
        self.assertEqual(read if isinstance(read, bytes) else read.encode(), data)

    @given(NAMES)
    def test_c(self, data: bytes) -> None:
        """The literal of C is plain ASCII, has no trigraph, and Python reads it the same way."""
        shown = for_c(data)
        self.assertTrue(shown.isascii() and shown.isprintable())
        self.assertNotIn("??", shown)
        self.assertEqual(ast.literal_eval(f"b{shown}"), data)

    def test_seen_for_what_it_is(self) -> None:
        """Nothing in a quoted name writes to a terminal, breaks its line, or hides."""
        for data in HOSTILE:
            for quoted in (for_shell(data), for_python(data), for_c(data)):
                self.assertTrue(quoted.isprintable(), quoted)

    def test_plain(self) -> None:
        """What needs no quotes has none, and letters of any language stay what they are."""
        self.assertEqual(for_shell(b"/run/echo.sock"), "/run/echo.sock")
        self.assertEqual(for_shell("/run/grüße".encode()), "'/run/grüße'")
        self.assertEqual(for_python("/run/grüße".encode()), "'/run/grüße'")

    def test_socat(self) -> None:
        """What socat would read as its own has a backslash."""
        self.assertEqual(for_socat(b"a,b:c!!d"), rb"a\,b\:c\!\!d")
        self.assertEqual(re.sub(rb"\\(.)", rb"\1", for_socat(b"[x]{'\"\\")), b"[x]{'\"\\")
