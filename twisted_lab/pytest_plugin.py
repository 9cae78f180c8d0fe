"""The pytest plugin: the fixtures ``socketlab``, ``socketlab_session`` and ``socketlab_check``. ::

    def test_it_hangs_up(socketlab):
        server = socketlab.serve("echo", idle_timeout="200ms")
        client = MyClient(server.host, server.port)
        server.wait_for("closed", reason="idle")

    def test_my_server(socketlab_check):
        socketlab_check("echo", spawn="python my_server.py {port}")

Nothing is imported until a test asks for it, and never a reactor: the service runs in a child.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from twisted_lab.conformance import Report
    from twisted_lab.served import Server


class SocketLab:
    """What the fixtures give: :meth:`serve`. Everything it serves ends with the fixture."""

    def __init__(self, folder: Path) -> None:
        self.servers: list[Server] = []
        self._folder = folder

    def serve(self, service: str, **options: Any) -> Server:
        """Serve *service*, ``"echo"`` or ``"mypackage.proto:Factory"``, in a child process.

        *options* are those of the command line with ``_``: ``max_connections=2``,
        ``idle_timeout="200ms"``, ``listen=["tls:0", "unix:socket"]``, ``allow_reflector=True``.
        Returns a :class:`~twisted_lab.served.Server` on free ports, ready. A bad option, or a
        service that cannot be, fails the test with one sentence.
        """
        __tracebackhide__ = True
        from twisted_lab.errors import SocketlabError
        from twisted_lab.served import start

        folder = self._folder / str(len(self.servers) + 1)
        folder.mkdir(exist_ok=True)
        try:
            self.servers.append(start(service, folder, options))
        except SocketlabError as error:
            wrong = str(error)
        else:
            return self.servers[-1]
        pytest.fail(wrong)  # outside, so that the sentence is all there is to read

    def close(self) -> None:
        """End what still serves; fails when one had ended by itself."""
        said = [sentence for server in self.servers if (sentence := server.close())]
        if said:
            pytest.fail("; ".join(said), pytrace=False)


_LAB = pytest.StashKey[SocketLab]()


def _labs(request: pytest.FixtureRequest) -> Iterator[SocketLab]:
    with tempfile.TemporaryDirectory(prefix="socketlab-") as folder:
        lab = request.node.stash[_LAB] = SocketLab(Path(folder))
        try:
            yield lab
        finally:
            try:
                lab.close()
            finally:
                del request.node.stash[_LAB]


@pytest.fixture
def socketlab(request: pytest.FixtureRequest) -> Iterator[SocketLab]:
    """Services in child processes: ``socketlab.serve("echo", max_connections=2)``."""
    yield from _labs(request)


@pytest.fixture(scope="session")
def socketlab_session(request: pytest.FixtureRequest) -> Iterator[SocketLab]:
    """The same for the whole session: start a server once, for many tests."""
    yield from _labs(request)


def _check(profile: str, endpoint: str = "", **options: Any) -> Report:
    __tracebackhide__ = True
    from twisted_lab.conformance import check
    from twisted_lab.errors import SocketlabError

    try:
        report = check(profile, endpoint, **options)
    except SocketlabError as error:
        wrong = str(error)
    else:
        if report.well:
            return report
        wrong = report.complaint()
    pytest.fail(wrong, pytrace=False)


@pytest.fixture
def socketlab_check() -> Callable[..., Report]:
    """Checks a server of yours: ``socketlab_check("echo", "tcp:127.0.0.1:7", only="H*")``.

    The arguments are those of :func:`twisted_lab.conformance.check`; the test fails with a sentence
    for each case that failed, and with what went over the wire.
    """
    return _check


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Put what the servers of a test saw into the report of its failure."""
    outcome: Any = yield
    report = outcome.get_result()
    if not report.failed or report.when == "teardown":
        return
    servers = [
        server
        for node in (item, item.session)
        if (lab := node.stash.get(_LAB, None)) is not None
        for server in lab.servers
    ]
    if servers:
        from twisted_lab.served import SETTLED

        time.sleep(SETTLED)  # the last events are on their way into the recordings
    for server in servers:
        report.sections.append((f"socketlab {server!r}", server.report()))
