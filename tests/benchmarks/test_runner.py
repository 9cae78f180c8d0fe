"""The pure parts of the benchmark's runner."""

from twisted.trial.unittest import SynchronousTestCase

from benchmarks import runner
from benchmarks.subjects import SUBJECTS


class PortTests(SynchronousTestCase):
    SAID = "echo tcp 127.0.0.1:40123 and [::1]:40123\necho udp 127.0.0.1:40124\n"

    def test_each_form(self):
        """The port is taken from the line that names the form."""
        self.assertEqual(runner.port_in(self.SAID, "tcp"), 40123)
        self.assertEqual(runner.port_in(self.SAID, "udp"), 40124)

    def test_half_a_line(self):
        """A line still being written is not read: its port may be cut."""
        self.assertIsNone(runner.port_in("tcp 127.0.0.1:401", "tcp"))

    def test_no_port_of_this_form(self):
        """A server that has not said its port yet has none."""
        self.assertIsNone(runner.port_in("udp 127.0.0.1:40124\n", "tcp"))


class OrderTests(SynchronousTestCase):
    def test_each_round_begins_one_further(self):
        """Over as many rounds as there are subjects, each has had every place."""
        orders = [runner.turned("abc", by) for by in range(4)]
        self.assertEqual(["".join(order) for order in orders], ["abc", "bca", "cab", "abc"])


class CommandTests(SynchronousTestCase):
    def test_filled(self):
        """Known places are filled in; the port waits until it is known."""
        self.assertEqual(
            runner.filled(("{built}", "tcp:{port}"), built="/t/echo"), ("/t/echo", "tcp:{port}")
        )

    def test_every_subject_has_a_stream_form(self):
        """Five of the seven cases are streams; a subject without one would be of no use."""
        for subject in SUBJECTS:
            self.assertIsNotNone(subject.tcp, subject.name)

    def test_last_line(self):
        """Of a traceback its last line is the reason; silence is said as such."""
        self.assertEqual(
            runner.last_line("Traceback\n  File\nImportError: x\n\n"), "ImportError: x"
        )
        self.assertEqual(runner.last_line(""), "it said nothing")


class OptionTests(SynchronousTestCase):
    def test_globs(self):
        """Cases and subjects are chosen by pattern."""
        chosen = runner.options(["--cases", "tcp-1k-*", "--subjects", "ours*"])
        self.assertEqual([case.name for case in chosen.cases], ["tcp-1k-10", "tcp-1k-200"])
        names = [one.name for one in chosen.subjects]
        observed = ["ours+page", "ours+viewer", "ours+json-lines", "ours+pcapng", "ours+history"]
        self.assertEqual(names, ["ours", "ours+lean", *observed])
