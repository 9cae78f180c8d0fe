"""What the benchmark reads of a process, tried on this one."""

import os
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from benchmarks import measuring


class CPUTests(SynchronousTestCase):
    def test_agrees_with_its_own_clock(self):
        """A process's CPU time seen from outside is what it sees from inside."""
        # One of its own: what this one shares its tests' benches with spends time in between.
        burn = "import time\nwhile time.process_time() < 0.2: pass\n"
        tell = "print(time.process_time(), flush=True)\ninput()"
        with subprocess.Popen(
            [sys.executable, "-c", burn + tell], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as child:
            inside = float(child.stdout.readline())
            outside = measuring.cpu_seconds(child.pid)
            child.communicate(b"\n")
        self.assertApproximates(outside, inside, 0.05)

    def test_counts_an_ended_child(self):
        """What a child spent is still counted when it has ended."""
        before = measuring.cpu_seconds(os.getpid())
        burn = "import time\nwhile time.process_time() < 0.1: pass"
        subprocess.run([sys.executable, "-c", burn], check=True)
        self.assertGreaterEqual(measuring.cpu_seconds(os.getpid()) - before, 0.09)

    def test_memory(self):
        """This process holds more than a megabyte."""
        self.assertGreater(measuring.user_bytes(os.getpid()), 2**20)
