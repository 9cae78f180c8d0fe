"""RFC 862 to 868, sentence by sentence: each is a question to a server on the well-known ports.

An answer is "" when the sentence holds, else what was seen instead, in a few words. RFC 866 (active
users) is left out: a bench has no users, and who is logged in is nobody's business.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from tests.integration.namespace import Namespace
from tests.integration.peers import read_exactly, read_to_end, reset

PORTS = {"echo": 7, "discard": 9, "daytime": 13, "qotd": 17, "chargen": 19, "time": 37}

#: Seconds to wait for what must come, and for what must not.
PATIENCE = 5.0
SILENCE = 0.3

_PRINTING = bytes(range(32, 127))
_ANY = bytes(range(256)) * 256


class NotOffered(Exception):
    """Nobody listens on the port."""


class Server:
    """The server in *namespace*, and a client's calls."""

    def __init__(self, namespace: Namespace, host: str = "127.0.0.1") -> None:
        self._namespace = namespace
        self._host = host

    def connect(self, service: str) -> socket.socket:
        """A TCP connection to *service*."""
        sock = self._namespace.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.settimeout(PATIENCE)
        try:
            sock.connect((self._host, PORTS[service]))
        except ConnectionRefusedError:
            sock.close()
            raise NotOffered from None
        return sock

    def ask(self, service: str, datagram: bytes, patience: float = PATIENCE) -> bytes:
        """The answer to *datagram*; raises TimeoutError when none comes."""
        with self.datagrams(service) as sock:
            sock.settimeout(patience)
            sock.send(datagram)
            try:
                return sock.recv(2**16)
            except ConnectionRefusedError:
                raise NotOffered from None

    def datagrams(self, service: str) -> socket.socket:
        """A UDP socket whose only peer is *service*."""
        sock = self._namespace.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.settimeout(PATIENCE)
        sock.connect((self._host, PORTS[service]))
        return sock


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of RFC *rfc*, about *service* as ``tcp`` or ``udp``, and how it is *asked*."""

    rfc: int
    service: str
    form: str
    text: str
    asked: Callable[[Server], str]

    def ask(self, server: Server) -> str:
        """ "" when it holds for *server*, else what was seen."""
        try:
            return self.asked(server)
        except ConnectionRefusedError:  # ICMP said that there is no such port
            raise NotOffered from None
        except TimeoutError:
            return "nothing came"
        except ConnectionResetError:
            return "RST"


SENTENCES: list[Sentence] = []

Question = Callable[[Server], str]


def _says(rfc: int, service: str, form: str, text: str) -> Callable[[Question], Question]:
    def add(asked: Question) -> Question:
        SENTENCES.append(Sentence(rfc, service, form, text, asked))
        return asked

    return add


def _same(seen: bytes, expected: bytes) -> str:
    return "" if seen == expected else f"{len(seen)} bytes, not the {len(expected)} sent"


def _listens(service: str) -> Question:
    def asked(server: Server) -> str:
        server.connect(service).close()
        return ""

    return asked


def _listens_udp(service: str, datagram: bytes = bytes(512)) -> Question:
    def asked(server: Server) -> str:
        with suppress(TimeoutError):
            server.ask(service, datagram, SILENCE)
        return ""

    return asked


def _reply(server: Server, service: str, said: bytes = b"") -> bytes:
    """All that *service* says to a connection that says *said*."""
    with server.connect(service) as sock:
        if said:
            with suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(said)
        return read_to_end(sock)


for _rfc, _service in (
    (862, "echo"),
    (863, "discard"),
    (864, "chargen"),
    (865, "qotd"),
    (867, "daytime"),
    (868, "time"),
):
    _port = PORTS[_service]
    _says(_rfc, _service, "tcp", f"A server listens for TCP connections on TCP port {_port}.")(
        _listens(_service)
    )
    _says(_rfc, _service, "udp", f"A server listens for UDP datagrams on UDP port {_port}.")(
        _listens_udp(_service)
    )


# -- RFC 862 -------------------------------------------------------------------------------------


@_says(862, "echo", "tcp", "Once a connection is established any data received is sent back.")
def _echo(server: Server) -> str:
    with server.connect("echo") as sock:
        sock.sendall(_ANY)
        return _same(read_exactly(sock, len(_ANY)), _ANY)


@_says(862, "echo", "tcp", "This continues until the calling user terminates the connection.")
def _echo_until(server: Server) -> str:
    with server.connect("echo") as sock:
        for _ in range(3):
            sock.sendall(b"again")
            if wrong := _same(read_exactly(sock, 5), b"again"):
                return wrong
        sock.sendall(b"last")
        sock.shutdown(socket.SHUT_WR)
        return _same(read_to_end(sock), b"last")


@_says(
    862,
    "echo",
    "udp",
    "When a datagram is received, the data from it is sent back in an answering datagram.",
)
def _echo_datagram(server: Server) -> str:
    for size in (0, 1, 512, 1472, 9000, 65507):
        try:
            seen = server.ask("echo", _ANY[:size], 1.0)
        except TimeoutError:
            return f"no answer to {size} bytes"
        if wrong := _same(seen, _ANY[:size]):
            return wrong
    return ""


# -- RFC 863 -------------------------------------------------------------------------------------


@_says(863, "discard", "tcp", "Once a connection is established any data received is thrown away.")
def _discard(server: Server) -> str:
    with server.connect("discard") as sock:
        for _ in range(256):
            sock.sendall(_ANY)  # 16 MiB in all: more than the buffers hold
    return ""


@_says(863, "discard", "tcp", "No response is sent.")
def _discard_silence(server: Server) -> str:
    with server.connect("discard") as sock:
        sock.sendall(_ANY)
        sock.settimeout(SILENCE)
        try:
            return f"{sock.recv(100)!r}"
        except TimeoutError:
            return ""


@_says(863, "discard", "tcp", "This continues until the calling user terminates the connection.")
def _discard_until(server: Server) -> str:
    with server.connect("discard") as sock:
        sock.sendall(_ANY)
        sock.shutdown(socket.SHUT_WR)
        return _same(read_to_end(sock), b"")


@_says(
    863, "discard", "udp", "When a datagram is received, it is thrown away. No response is sent."
)
def _discard_datagram(server: Server) -> str:
    for size in (0, 1, 65507):
        with suppress(TimeoutError):
            return f"answered {len(server.ask('discard', _ANY[:size], SILENCE))} bytes"
    return ""


# -- RFC 864 -------------------------------------------------------------------------------------


def _some_chargen(server: Server, size: int = 2**20) -> bytes:
    with server.connect("chargen") as sock:
        return read_exactly(sock, size)


@_says(
    864,
    "chargen",
    "tcp",
    "Once a connection is established a stream of data is sent out the connection",
)
def _chargen(server: Server) -> str:
    size = len(_some_chargen(server))
    return "" if size == 2**20 else f"ended after {size} bytes"


@_says(864, "chargen", "tcp", "(and any data received is thrown away).")
def _chargen_input(server: Server) -> str:
    with server.connect("chargen") as sock:
        before = read_exactly(sock, 7400)
        sock.sendall(b"stop\r\n" * 100)
        after = read_exactly(sock, 2**20)
    return "" if b"stop" not in before + after and len(after) == 2**20 else "it made a difference"


@_says(864, "chargen", "tcp", "This continues until the calling user terminates the connection.")
def _chargen_until(server: Server) -> str:
    with server.connect("chargen") as sock:
        read_exactly(sock, 7400)
        sock.shutdown(socket.SHUT_WR)
        until = time.monotonic() + PATIENCE
        while sock.recv(2**16):
            if time.monotonic() > until:
                return f"goes on {PATIENCE:g} s after our FIN"
    return ""


@_says(
    864,
    "chargen",
    "tcp",
    "The service should be prepared for either the carefully close or the rude abort.",
)
def _chargen_ends(server: Server) -> str:
    for end in (reset, socket.socket.close):
        sock = server.connect("chargen")
        read_exactly(sock, 100)
        end(sock)
    size = len(_some_chargen(server, 7400))
    return "" if size == 7400 else "serves no more"


@_says(
    864,
    "chargen",
    "tcp",
    "The data flow over the connection is limited by the normal TCP flow control mechanisms",
)
def _chargen_flow(server: Server) -> str:
    with server.connect("chargen") as sock:
        begin = read_exactly(sock, 95 * 74)
        time.sleep(SILENCE)
        seen = begin + read_exactly(sock, 2**23)
    lines = seen.split(b"\r\n")[:-1]
    for one, following in pairwise(lines):
        if one[1:] != following[:-1]:
            return "lines are missing, or not this pattern"
    return ""


@_says(
    864,
    "chargen",
    "tcp",
    "One popular pattern is 72 character lines of the ASCII printing "
    "characters. There are 95 printing characters in the ASCII character set.",
)
def _chargen_lines(server: Server) -> str:
    lines = _some_chargen(server, 96 * 74).split(b"\n")[:-1]
    lengths = {len(line.rstrip(b"\r")) for line in lines}
    used = set(b"".join(line.rstrip(b"\r") for line in lines))
    if lengths != {72}:
        return f"lines of {sorted(lengths)[:3]} characters"
    return "" if used == set(_PRINTING) else f"{len(used)} characters"


@_says(864, "chargen", "tcp", "On line N, put characters (0+N mod 95) through (71+N mod 95).")
def _chargen_rotates(server: Server) -> str:
    lines = _some_chargen(server, 200 * 74).split(b"\n")[:-1]
    for number, line in enumerate(lines):
        expected = (_PRINTING * 2)[number % 95 :][:72]
        if line.rstrip(b"\r") != expected:
            return f"line {number} begins {line[:8].decode('latin-1')!r}"
    return "" if len(lines) > 190 else "no lines"


@_says(864, "chargen", "tcp", "End each line with carriage return and line feed.")
def _chargen_line_ends(server: Server) -> str:
    seen = _some_chargen(server, 7400)
    return "" if seen.count(b"\r\n") == seen.count(b"\n") > 90 else "no CR LF"


@_says(
    864,
    "chargen",
    "udp",
    "When a datagram is received, an answering datagram is sent "
    "containing a random number (between 0 and 512) of characters",
)
def _chargen_datagram(server: Server) -> str:
    sizes = set()
    for _ in range(30):
        size = len(server.ask("chargen", bytes(512)))
        if size > 512:
            return f"{size} characters"
        sizes.add(size)
    return "" if len(sizes) > 3 else f"always {sizes} characters"


@_says(864, "chargen", "udp", "(the data in the received datagram is ignored).")
def _chargen_datagram_data(server: Server) -> str:
    seen = b"".join(server.ask("chargen", b"\1" * 512) for _ in range(10))
    return "" if b"\1" not in seen else "it came back"


@_says(
    864,
    "chargen",
    "udp",
    "The service only send one datagram in response to each received datagram",
)
def _chargen_one(server: Server) -> str:
    with server.datagrams("chargen") as sock:
        sock.send(bytes(512))
        sock.recv(2**16)
        sock.settimeout(SILENCE)
        try:
            return f"and then {len(sock.recv(2**16))} bytes"
        except TimeoutError:
            return ""


# -- RFC 865 and 867, and what both say --------------------------------------------------------


def _thrown_away(service: str) -> Question:
    def asked(server: Server) -> str:
        alone, with_input = _reply(server, service), _reply(server, service, bytes(20_000))
        return "" if bool(alone) and bool(with_input) else "no reply"

    return asked


def _plain(service: str) -> Question:
    def asked(server: Server) -> str:
        for seen in (_reply(server, service), server.ask(service, bytes(512))):
            odd = set(seen) - set(_PRINTING + b"\r\n")
            if odd or not seen:
                return f"{seen[:40]!r}"
        return ""

    return asked


def _closes(service: str) -> Question:
    def asked(server: Server) -> str:
        return "" if _reply(server, service) else "nothing"  # at the end there was a FIN

    return asked


for _rfc, _service, _what in (
    (865, "qotd", "a short message is sent out the connection"),
    (
        867,
        "daytime",
        "the current date and time is sent out the connection as a ascii character string",
    ),
):
    _says(_rfc, _service, "tcp", f"Once a connection is established {_what}")(_closes(_service))
    _says(_rfc, _service, "tcp", "(and any data received is thrown away).")(_thrown_away(_service))
    _says(_rfc, _service, "tcp", "The service closes the connection after sending the quote.")(
        _closes(_service)
    )
    _says(
        _rfc,
        _service,
        "tcp",
        "It is recommended that it be limited to the ASCII printing "
        "characters, space, carriage return, and line feed.",
    )(_plain(_service))


@_says(865, "qotd", "tcp", "it should be less than 512 characters.")
def _short(server: Server) -> str:
    longest = max(len(_reply(server, "qotd")) for _ in range(20))
    return "" if longest < 512 else f"{longest} characters"


@_says(
    865,
    "qotd",
    "udp",
    "When a datagram is received, an answering datagram is sent containing "
    "a quote (the data in the received datagram is ignored).",
)
def _quote_datagram(server: Server) -> str:
    seen = server.ask("qotd", b"\1" * 512)
    return "" if 0 < len(seen) < 512 and b"\1" not in seen else f"{seen[:40]!r}"


def _is_now(seen: bytes) -> str:
    """Whether *seen* names a moment of this minute or the last, in UTC or in local time."""
    text = seen.decode("ascii", "replace")
    times = re.findall(r"\d\d:\d\d", text)
    moments = [time.time() - 60, time.time()]
    right = [
        moment.strftime("%H:%M")
        for at in moments
        for moment in (datetime.fromtimestamp(at, UTC), datetime.fromtimestamp(at).astimezone())
    ]
    year = str(datetime.now(UTC).year)
    return "" if year in text and set(times) & set(right) else f"{text!r}"


@_says(867, "daytime", "tcp", "Once a connection is established the current date and time is sent")
def _daytime_now(server: Server) -> str:
    return _is_now(_reply(server, "daytime"))


@_says(867, "daytime", "tcp", "The daytime should be just one line.")
def _daytime_line(server: Server) -> str:
    seen = _reply(server, "daytime")
    return "" if seen.count(b"\n") == 1 and seen.endswith(b"\n") else f"{seen!r}"


@_says(
    867,
    "daytime",
    "udp",
    "When a datagram is received, an answering datagram is sent "
    "containing the current date and time as a ASCII character string (the data in the "
    "received datagram is ignored).",
)
def _daytime_datagram(server: Server) -> str:
    return _is_now(server.ask("daytime", bytes(512)))


# -- RFC 868 -------------------------------------------------------------------------------------


def _seconds(seen: bytes) -> str:
    if len(seen) != 4:
        return f"{len(seen)} bytes"
    off = int.from_bytes(seen, "big") - (time.time() + 2_208_988_800)
    return "" if abs(off) < 5 else f"off by {off:,.0f} s"


@_says(
    868,
    "time",
    "tcp",
    "When the connection is established, the server returns a 32-bit time "
    "value and closes the connection.",
)
def _time_32_bits(server: Server) -> str:
    seen = _reply(server, "time")
    return "" if len(seen) == 4 else f"{len(seen)} bytes"


@_says(
    868,
    "time",
    "tcp",
    "The time is the number of seconds since 00:00 (midnight) 1 January 1900 GMT",
)
def _time_now(server: Server) -> str:
    return _seconds(_reply(server, "time")[:4])


@_says(
    868,
    "time",
    "udp",
    "When the server receives a datagram, it returns a datagram containing the 32-bit time value.",
)
def _time_datagram(server: Server) -> str:
    return _seconds(server.ask("time", bytes(4)))


@_says(868, "time", "udp", "Send an empty datagram to port 37.")
def _time_empty(server: Server) -> str:
    return _seconds(server.ask("time", b""))
