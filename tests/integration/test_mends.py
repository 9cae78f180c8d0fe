"""The servers that mends are cut from are right: the checker finds nothing in them."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from typing import Any

from tests.folder import FolderTestCase
from tests.integration.pem import write_pem
from twisted_lab import conformance
from twisted_lab.conformance import Report, check
from twisted_lab.conformance.mends import FRAMEWORKS
from twisted_lab.conformance.report import sentence
from twisted_lab.conformance.verdicts import Verdict

#: Each server's file, and how it is checked: its profile, its endpoint, and what it declares. The
#: last are its further arguments.
SERVERS: dict[str, tuple[str, dict[str, Any], str]] = {
    "echo.py": ("echo", {"idle_timeout": 2.0}, "2"),
    "lines.py": ("line", {"idle_timeout": 2.0, "max_line": 16384}, "2"),
    "closing.py": ("time", {}, ""),
    "datagrams.py": ("echo", {"endpoint": "udp:127.0.0.1:{port}"}, ""),
    "tls_echo.py": (
        "echo",
        {
            "endpoint": "tls:127.0.0.1:{port}",
            "handshake_timeout": 2.0,
            "idle_timeout": 2.0,
            "insecure": True,
        },
        "{cert} {key} 2 2",
    ),
}


class MendTests(FolderTestCase):
    def test_servers(self) -> None:
        """Each server of each framework passes its whole profile, and has no cause to write."""
        pem = write_pem(self.folder)
        runs = [(framework, name) for framework in FRAMEWORKS for name in SERVERS]
        with ThreadPoolExecutor(2) as pool:
            for report in pool.map(lambda run: _checked(*run, pem), runs):
                wrong = [
                    sentence(result)
                    for result in report.results
                    if result.finding.verdict in (Verdict.FAILED, Verdict.COULD_NOT_TELL)
                ]
                self.assertEqual((report.name, report.wrong, wrong), (report.name, "", []))
                self.assertEqual((report.name, list(report.said)), (report.name, []))
                self.assertGreater(len(report.results), 9, report.name)


def _checked(framework: str, name: str, pem: dict[str, str]) -> Report:
    profile, options, arguments = SERVERS[name]
    file = resources.files(conformance) / "servers" / framework / name
    words = arguments.format(**pem)
    return check(profile, spawn=f"{sys.executable} {file} {{port}} {words}", **options)
