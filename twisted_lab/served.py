"""A service in a child process, for tests of a client: its address, its events, its end.

Without pytest::

    with serve_child("echo", max_connections=2) as server:
        sock = socket.create_connection(server.address)
        sock.close()
        server.wait_for("closed", reason="peer-fin")

No reactor is imported here.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import ssl
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from twisted_lab.addresses import show_pair
from twisted_lab.child import SOCKETLAB, Child, wait_for
from twisted_lab.errors import CannotServe
from twisted_lab.escaping import escape
from twisted_lab.events import Event
from twisted_lab.jsonlines import as_dict, read_event
from twisted_lab.keywords import arguments_of, settings_of

#: Seconds for which :meth:`Server.wait_for` waits.
TIMEOUT = 5.0

#: Seconds until a TLS handshake of ours has failed.
_HANDSHAKE = 5.0

#: How many of the last events and lines a report shows.
REPORTED = 50

#: Seconds after which what happened is in the recording: its own fifth of a second, and some.
SETTLED = 0.3


class Server(bytes):
    """A service in a child process, serving.

    ``host`` and ``port`` are of its first TCP, TLS or UDP port, and ``address`` is both, ready for
    ``socket.create_connection``; of a service on a UNIX socket alone, ``address`` is its path and
    ``port`` None. The object itself can stand where a port number is wanted.

    It is a bytes, the number in digits, for socket.getaddrinfo() (CPython 3.11) takes no subclass
    of int, but text, bytes, or what is an int and nothing more; connect() takes what has
    ``__index__``, which it also has.
    """

    def __new__(cls, service: str, child: Child, folder: Path, recording: Path) -> Server:
        """Made by :func:`start`."""
        address = _first(child)
        return super().__new__(cls, str(address[1]).encode() if isinstance(address, tuple) else b"")

    def __init__(self, service: str, child: Child, folder: Path, recording: Path) -> None:
        self.service = service
        self.folder = folder
        self.address: Any = _first(child)
        self.host: str | None = None
        self.port: int | None = None
        if isinstance(self.address, tuple):
            self.host, self.port = self.address
        self._child = child
        self._recording = recording
        self._events: list[Event] = []
        self._read = 0
        self._own: set[str] = set()  # the addresses and connections we came from ourselves
        self._cafile: str | None = None
        self._stopped = False

    def __index__(self) -> int:
        if self.port is None:
            raise TypeError(f"{self!r} has no port")
        return self.port

    __int__ = __index__

    def __eq__(self, other: object) -> bool:
        return self is other or (self.port is not None and self.port == other)

    def __hash__(self) -> int:
        return hash(self.port)

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        return "" if self.port is None else str(self.port)

    def __format__(self, spec: str) -> str:
        return format(int(self), spec) if spec else str(self)

    def __repr__(self) -> str:
        return f"<Server {self.service} {self.address}>"

    @property
    def pid(self) -> int:
        """Its process."""
        return self._child.pid

    @property
    def log(self) -> str:
        """What it printed and logged so far; may hold what a peer sent, escaped."""
        return self._child.output

    def addresses(self, transport: str) -> list[Any]:
        """Where it listens on ``tcp``, ``tls`` or ``udp``: ``(host, port)``; ``unix``: paths."""
        return [_address(text) for _, kind, text in self._child.announced() if kind == transport]

    @property
    def fingerprint(self) -> str | None:
        """The SHA-256 of its certificate as OpenSSL prints it; None without TLS."""
        return self._child.fingerprint

    @property
    def cafile(self) -> str:
        """A PEM file with its certificate, for ``ssl.create_default_context(cafile=…)``.

        A client with it verifies the certificate made on the spot, for localhost, 127.0.0.1 and
        ::1. It is fetched by a connection of ours, which :meth:`events` leaves out, and must have
        the announced fingerprint. Raises :class:`CannotServe` without TLS.
        """
        if self._cafile is None:
            self._cafile = str(self._fetch_certificate())
        return self._cafile

    def _fetch_certificate(self) -> Path:
        if not (places := self.addresses("tls")):
            raise CannotServe(f"{self!r} has no TLS")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the fingerprint below decides
        with socket.create_connection(places[0], _HANDSHAKE) as sock:
            self._own.add(show_pair(*sock.getsockname()[:2]))
            with context.wrap_socket(sock) as secure:
                certificate = secure.getpeercert(binary_form=True) or b""
        if hashlib.sha256(certificate).hexdigest().upper() != (self.fingerprint or "").replace(
            ":", ""
        ):
            raise CannotServe(f"{self!r} shows another certificate than it announced")
        path = self.folder / "certificate.pem"
        path.write_text(ssl.DER_cert_to_PEM_cert(certificate))
        return path

    def events(self, name: str | None = None, **fields: object) -> list[Any]:
        """The events so far, in order; of those called *name*, with these *fields*, if given.

        They are the dataclasses of :mod:`twisted_lab.events`. What happened is here within a
        fifth of a second, and all of it after :meth:`stop`.
        """
        self._read_more()
        return [event for event in self._events if _matches(event, name, fields)]

    def _read_more(self) -> None:
        with self._recording.open("rb") as file:
            file.seek(self._read)
            whole = file.read().rpartition(b"\n")[0]
        self._read += len(whole) + 1 if whole else 0
        for line in whole.splitlines():
            said = json.loads(line)
            if "event" in said and not self._is_own(said):
                self._events.append(read_event(said))

    def _is_own(self, said: dict[str, Any]) -> bool:
        if said.get("peer") in self._own:
            self._own.add(said.get("connection", ""))
        return said.get("peer") in self._own or said.get("connection") in self._own

    def wait_for(self, name: str, *, timeout: float = TIMEOUT, **fields: object) -> Any:
        """The first event called *name* with these *fields*, waited for *timeout* seconds.

        Raises AssertionError, which says what there was instead.
        """
        __tracebackhide__ = True  # pytest then shows the line of the test
        with suppress(TimeoutError):
            wait_for(lambda: self.events(name, **fields) or self._has_ended(), timeout)
        if found := self.events(name, **fields):
            return found[0]
        wanted = " ".join([name, *(f"{field}={value}" for field, value in fields.items())])
        there = "; ".join(map(_described, self.events(name)[-REPORTED:])) or "none"
        raise AssertionError(
            f"no event {wanted} within {timeout:g} s; of {name} there was: {there}"
        )

    def _has_ended(self) -> bool:
        return self._child.process.poll() is not None

    def stop(self) -> int:
        """Stop it in order, its connections first (``drain``); its exit status, 0 when well."""
        self._stopped = True
        return self._child.stop()

    def close(self) -> str | None:
        """End it at once if it is still there; a sentence when it had ended by itself."""
        status = self._child.process.poll()
        self._child.kill()
        if status is None or self._stopped:
            return None
        return f"the server {self!r} ended by itself, with status {status}"

    def report(self) -> str:
        """Its last events and its last lines, escaped and bounded: for a person to read."""
        events = self.events()
        lines = self.log.splitlines()
        shown = [f"events ({len(events)} in all):"]
        shown += [f"  {_described(event)}" for event in events[-REPORTED:]]
        shown += ["log:", *(f"  {escape(line)}" for line in lines[-REPORTED:])]
        return "\n".join(shown)


def _matches(event: Event, name: str | None, fields: dict[str, object]) -> bool:
    if name is not None and event.event != name:
        return False
    missing = object()
    return all(getattr(event, field, missing) == value for field, value in fields.items())


def _described(event: Event) -> str:
    said = as_dict(event) | {"data": getattr(event, "data", None), "tcp_info": None}
    seconds, name = said.pop("ns") / 1e9, said.pop("event")
    words = [
        f"{field}={escape(value if isinstance(value, bytes) else str(value))}"
        for field, value in said.items()
        if value not in (None, "", b"")
    ]
    return " ".join([f"{seconds:.3f} {name}", *words])


def _first(child: Child) -> Any:
    kinds = ("tcp", "tls", "udp", "unix")
    places = sorted(
        child.announced(), key=lambda place: kinds.index(place[1].removeprefix("haproxy:"))
    )
    return _address(places[0][2])


def _address(text: str) -> Any:
    if text.startswith("unix:"):
        return text.removeprefix("unix:")
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def start(service: str, folder: Path, words: dict[str, object]) -> Server:
    """Start *service*, a name or ``module:Name``, with the options *words*; it serves on return.

    *folder* is for its files. Its ports are free ones unless *words* say otherwise; its modules
    are looked for where ours are. Raises :class:`~twisted_lab.errors.SocketlabError`, one
    sentence: a bad option at once, anything else in the child's own words.
    """
    settings_of(words)
    recording = Path(os.path.abspath(str(words.get("record") or folder / "recording.jsonl")))
    words = {**words, "record": recording, "quiet": None}  # what it says is read by us
    if all(words.get(word) is None for word in ("port", "listen", "well_known")):
        words["port"] = 0
    named = ("run", service) if ":" in service or "." in service else (service,)
    command = (*SOCKETLAB, "serve", *named, *arguments_of(words))
    child = Child(command, folder, _python_path())
    try:
        child.wait_until_serving()
        return Server(service, child, folder, recording)
    except BaseException:
        child.kill()
        raise


def _python_path() -> dict[str, str]:
    """Where this process finds its modules, for the child; not what every Python has anyway."""
    usual = set(sysconfig.get_paths().values()) | {sysconfig.get_config_var("DESTSHARED")}
    ours = [os.path.abspath(path) for path in sys.path if not path.endswith(".zip")]
    return {"PYTHONPATH": os.pathsep.join(path for path in ours if path not in usual)}


@contextmanager
def serve_child(service: str, **words: object) -> Iterator[Server]:
    """Serve as :func:`start` does, until the end of the ``with``."""
    with tempfile.TemporaryDirectory(prefix="socketlab-") as folder:
        server = start(service, Path(folder), words)
        try:
            yield server
        finally:
            server.close()
