"""The servers that are compared: one row each.

A command prints ``tcp 127.0.0.1:PORT`` or ``udp 127.0.0.1:PORT`` once it listens, or is given its
port as ``{port}``. ``{python}``, ``{twistd}``, ``{here}`` (this folder) and ``{built}`` (what
`build` compiled) are filled in by the runner.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

# The name every ratio is taken to.
TEXTBOOK = "textbook"


@dataclass(frozen=True, slots=True)
class Subject:
    """One server: how to start each of its forms, and what must be there first."""

    name: str
    what: str
    tcp: tuple[str, ...] | None
    udp: tuple[str, ...] | None = None
    needs: str | None = None
    build: tuple[str, ...] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)  # case: why


OURS = (
    "{twistd}", "--reactor=epoll", "-n", "--pidfile=", "--logfile=/dev/null",
    "socketlab", "echo", "--port", "0",
)  # fmt: skip
OURS_LEAN = tuple("--reactor=lean" if word == "--reactor=epoll" else word for word in OURS)
OURS_HISTORY = ("{python}", "{here}/ours_history.py")
OURS_PAGE = (*OURS_LEAN, "--page", "0")
OURS_VIEWER = ("{python}", "{here}/with_viewer.py", *OURS_LEAN)
OURS_RECORDED = (*OURS_LEAN, "--record", "{built}")
OURS_PCAPNG = (*OURS_LEAN, "--pcapng", "{built}")

#: What is asked of the observers: what they add to each message, and to an idle connection.
OTHER_CASES = dict.fromkeys(
    ("tcp-64k", "connect", "burst-1000", "latency-p99"), "each message is what is asked of it"
)

SUBJECTS = (
    Subject("ours", "socketlab echo, default policies, epoll reactor", OURS, OURS),
    Subject("ours+lean", "the same on the lean reactor", OURS_LEAN, OURS_LEAN),
    Subject("ours+page", "the page on, nobody looks; lean", OURS_PAGE, OURS_PAGE),
    Subject(
        "ours+viewer",
        "the page on, one viewer of every event; lean",
        OURS_VIEWER,
        OURS_VIEWER,
        left_out=OTHER_CASES,
    ),
    Subject(
        "ours+json-lines",
        "every event recorded (--record); lean",
        OURS_RECORDED,
        OURS_RECORDED,
        left_out=OTHER_CASES,
    ),
    Subject(
        "ours+pcapng",
        "every event as packets (--pcapng); lean",
        OURS_PCAPNG,
        OURS_PCAPNG,
        left_out=OTHER_CASES,
    ),
    Subject("ours+history", "ours on epoll, recorded to a history", OURS_HISTORY, OURS_HISTORY),
    Subject(
        TEXTBOOK,
        "the echo of Twisted's documentation, epoll reactor",
        ("{python}", "{here}/textbook.py", "tcp"),
        ("{python}", "{here}/textbook.py", "udp"),
    ),
    Subject(
        "textbook+lean",
        "the same on the lean reactor",
        ("{python}", "{here}/textbook.py", "tcp", "lean"),
        ("{python}", "{here}/textbook.py", "udp", "lean"),
    ),
    Subject(
        "asyncio-protocol",
        "asyncio.Protocol and DatagramProtocol, default loop",
        ("{python}", "{here}/asyncio_echo.py", "protocol"),
        ("{python}", "{here}/asyncio_echo.py", "datagram"),
    ),
    Subject(
        "asyncio-streams",
        "asyncio.start_server with drain, default loop",
        ("{python}", "{here}/asyncio_echo.py", "streams"),
    ),
    Subject(
        "uvloop",
        "the asyncio protocols on uvloop",
        ("{python}", "{here}/asyncio_echo.py", "protocol", "uvloop"),
        ("{python}", "{here}/asyncio_echo.py", "datagram", "uvloop"),
    ),
    Subject(
        "socat",
        "a process per connection or datagram, backlog 4096",
        ("socat", "TCP4-LISTEN:{port},bind=127.0.0.1,backlog=4096,fork", "PIPE"),
        ("socat", "UDP4-RECVFROM:{port},bind=127.0.0.1,fork", "PIPE"),
        needs="socat",
        left_out={"idle-memory": "5,000 processes are left out"},
    ),
    Subject(
        "go",
        "a goroutine per connection with 64 KiB to read into, GOMAXPROCS=1",
        ("{built}", "tcp"),
        ("{built}", "udp"),
        needs="go",
        build=("go", "build", "-o", "{built}", "{here}/echo.go"),
        # No module, no network, no other toolchain; one thread runs Go code, as elsewhere here.
        environment={
            "GO111MODULE": "off",
            "GOPROXY": "off",
            "GOTOOLCHAIN": "local",
            "CGO_ENABLED": "0",
            "GOMAXPROCS": "1",
        },
    ),
    Subject(
        "c-epoll",
        "level-triggered epoll, one thread, cc -O2",
        ("{built}", "tcp"),
        ("{built}", "udp"),
        needs="cc",
        build=("cc", "-O2", "-Wall", "-o", "{built}", "{here}/echo.c"),
    ),
)
