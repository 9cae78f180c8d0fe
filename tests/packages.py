"""Installed packages and modules of somebody else's, for the time of a test."""

from __future__ import annotations

import sys

from tests.folder import FolderTestCase


class PackageTestCase(FolderTestCase):
    """``self.folder`` is on sys.path; what was imported from it is forgotten at the end."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(sys, "path", [str(self.folder), *sys.path])
        before = set(sys.modules)
        self.addCleanup(lambda: [sys.modules.pop(name) for name in set(sys.modules) - before])

    def module(self, name: str, text: str) -> None:
        """Write the module *name*."""
        (self.folder / f"{name}.py").write_text(text)

    def distribution(self, name: str, **services: str) -> None:
        """Install a distribution that brings *services*, each with its value."""
        folder = self.folder / f"{name}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        rows = [f"{service} = {value}" for service, value in services.items()]
        (folder / "entry_points.txt").write_text("\n".join(["[socketlab.services]", *rows, ""]))
