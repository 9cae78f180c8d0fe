"""What the benchmark reads of a process, tried on this one."""

import os
import subprocess
import sys
import time

from twisted.trial.unittest import SynchronousTestCase

from benchmarks import measuring


class CPUTests(SynchronousTestCase):
    def test_agrees_with_our_own_clock(self):
        """Our own CPU time seen from outside is what we see from inside."""
        outside = measuring.cpu_seconds(os.getpid())
        children = os.times().children_user + os.times().children_system
        self.assertApproximates(outside, time.process_time() + children, 0.05)

    def test_counts_an_ended_child(self):
        """What a child spent is still counted when it has ended."""
        before = measuring.cpu_seconds(os.getpid())
        burn = "import time\nwhile time.process_time() < 0.1: pass"
        subprocess.run([sys.executable, "-c", burn], check=True)
        self.assertGreaterEqual(measuring.cpu_seconds(os.getpid()) - before, 0.09)

    def test_memory(self):
        """This process holds more than a megabyte."""
        self.assertGreater(measuring.user_bytes(os.getpid()), 2**20)
