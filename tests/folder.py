"""A test case with a folder of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase


class FolderTestCase(SynchronousTestCase):
    """``self.folder`` is empty at first, and gone at the end."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="socketlab-test-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
