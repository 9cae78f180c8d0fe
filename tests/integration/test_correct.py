"""Right servers in C, Go and with socketserver pass whole; see test_mends.py for more of them."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.folder import FolderTestCase
from twisted_lab.conformance import Report, check
from twisted_lab.conformance.report import sentence
from twisted_lab.conformance.verdicts import Verdict

FOLDER = Path(__file__).parents[1] / "correct"

#: Each file, its profile and further arguments, and what it declares.
SERVERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "echo.c": ("echo", "2", {"idle_timeout": 2.0}),
    "datagrams.c": ("echo", "", {"endpoint": "udp:127.0.0.1:{port}"}),
    "echo.go": ("echo", "2s", {"idle_timeout": 2.0}),
    "lines.go": ("line", "2s", {"idle_timeout": 2.0, "max_line": 16384}),
    "threading_echo.py": ("echo", "2", {"idle_timeout": 2.0}),
}


class CorrectTests(FolderTestCase):
    def test_whole(self) -> None:
        """None is accused of anything."""
        files = {path.name for path in FOLDER.iterdir() if path.suffix in (".c", ".go", ".py")}
        self.assertEqual(files - {"__init__.py"}, set(SERVERS))
        with ThreadPoolExecutor(2) as pool:
            for name, report in zip(SERVERS, pool.map(self.checked, SERVERS), strict=True):
                wrong = [
                    sentence(result)
                    for result in report.results
                    if result.finding.verdict in (Verdict.FAILED, Verdict.COULD_NOT_TELL)
                ]
                self.assertEqual((name, report.wrong, wrong), (name, "", []))
                self.assertGreater(len(report.results), 9)

    def checked(self, name: str) -> Report:
        profile, arguments, options = SERVERS[name]
        return check(profile, spawn=f"{self.command(name)} {{port}} {arguments}", **options)

    def command(self, name: str) -> str:
        file, made = FOLDER / name, self.folder / name.replace(".", "-")
        if file.suffix == ".py":
            return f"{sys.executable} {file}"
        if file.suffix == ".c":
            words = ["gcc", "-O2", "-pthread", "-Wall", "-Werror", "-o", str(made), str(file)]
        else:
            words = ["go", "build", "-o", str(made), str(file)]
        subprocess.run(words, check=True, timeout=100)
        return str(made)
