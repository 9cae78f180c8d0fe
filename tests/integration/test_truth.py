"""What is recorded of a program is what strace saw of the same run.

``python -m scripts.watch_truth`` holds all programs against it.
"""

from __future__ import annotations

from tests.folder import FolderTestCase
from tests.integration.truth import python, truth_of
from tests.integration.watched import FOLDER


class TruthTests(FolderTestCase):
    timeout = 100

    def test_programs(self) -> None:
        """Each system call on a socket is accounted for, or it is known why it is not visible."""
        for name in ("echo_threads", "retrying_client", "tls_echo", "udp_pair"):
            seen, truth = truth_of(self.folder, *python(FOLDER / "right" / f"{name}.py"))
            self.assertEqual((name, seen.ended.status, truth.wrong), (name, 0, []))
            self.assertGreater(truth.covered, 5, name)
            self.assertEqual(bool(truth.unseen["OpenSSL"]), name == "tls_echo")
