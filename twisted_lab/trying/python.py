"""A client in Python: complete, short, and right about when a stream ends."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.protocols import Dialogue
from twisted_lab.trying.quoting import for_c, for_python
from twisted_lab.trying.target import PROXY_HEADER, Target

_INDENT = "    "

_HEADER = f"b{for_c(PROXY_HEADER)}"  # a literal of C is one of Python


def program(target: Target) -> str:
    """The text for *target*; it can be pasted into a running Python, too."""
    block = list(_datagram(target) if target.datagram else _stream(target))
    after = _after(target)
    # A blank line ends the block when it is pasted; there is none inside.
    parts = [_imports(target), *(_context(target) if target.secure else ()), *block]
    return "\n".join([*parts, "", *after]) + ("\n" if after else "")


def _imports(target: Target) -> str:
    names = ["socket"]
    names += ["hashlib", "ssl"] if target.secure else []
    names += ["struct", "time"] if target.dialogue is Dialogue.NUMBER else []
    return "\n".join(f"import {name}" for name in sorted(names)) + "\n"


def _after(target: Target) -> list[str]:
    if target.dialogue is not Dialogue.NUMBER:
        return []
    return [
        '(seconds,) = struct.unpack("!I", data)  # since 1900',
        "print(time.ctime(seconds - 2208988800))  # Unix counts from 1970",
    ]


# -- streams ---------------------------------------------------------------------------------


def _stream(target: Target) -> Iterator[str]:
    yield from _opening(target)
    if target.secure:
        yield from _secured(target)
        indent = 2 * _INDENT
    else:
        indent = _INDENT
        if target.proxied:
            yield f"{indent}sock.sendall({_HEADER})  # as a balancer does"
    yield from (indent + line for line in _talk(target))


def _opening(target: Target) -> Iterator[str]:
    name = "raw" if target.secure else "sock"
    if target.path is None:
        place = f'("{target.host}", {target.port})'
        yield f"with socket.create_connection({place}, timeout=10) as {name}:"
    else:
        yield f"with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as {name}:"
        yield f"{_INDENT}{name}.settimeout(10)"
        yield f"{_INDENT}{name}.connect({for_python(target.path)})"


def _context(target: Target) -> Iterator[str]:
    yield "context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)"
    yield "context.check_hostname = False  # we know its SHA-256, below. One that a CA signed:"
    yield 'context.verify_mode = ssl.CERT_NONE  # instead, context.load_verify_locations("ca.pem")'
    if target.asks_certificate:
        yield 'context.load_cert_chain("client.pem")  # yours: the service asks for one'


def _secured(target: Target) -> Iterator[str]:
    if target.proxied:
        yield f"{_INDENT}raw.sendall({_HEADER})  # as a balancer does"
    yield f"{_INDENT}with context.wrap_socket(raw) as sock:"
    for line in (
        'shown = hashlib.sha256(sock.getpeercert(True)).digest().hex(":").upper()',
        f'if shown != "{target.fingerprint}":',
        f'{_INDENT}raise SystemExit(f"not the certificate of the bench: {{shown}}")',
    ):
        yield 2 * _INDENT + line


_TO_THE_END = [
    'while data := sock.recv(4096):  # b"" is the FIN of the server',
    "    print(data)",
]
_FIN = "sock.shutdown(socket.SHUT_WR)  # our FIN: no more comes from us"
_HELLO = r'sock.sendall(b"hello\r\n")'
_FOUR_BYTES = [
    'data = b""',
    "while piece := sock.recv(4):",
    "    data += piece",
]

#: What is said on a plain stream.
_TALKS = {
    Dialogue.ECHO: [_HELLO, _FIN, *_TO_THE_END],
    Dialogue.OWN: [_HELLO, _FIN, *_TO_THE_END],
    Dialogue.LINES: [r'sock.sendall(b"hello\r\n/who\r\n")', _FIN, *_TO_THE_END],
    Dialogue.SILENT: [_HELLO, _FIN, 'print(sock.recv(4096))  # b"": nothing but its FIN'],
    Dialogue.REPLY: _TO_THE_END,
    Dialogue.NUMBER: _FOUR_BYTES,
    Dialogue.ENDLESS: [
        'data = b""',
        "while len(data) < 740 and (piece := sock.recv(740 - len(data))):",
        "    data += piece",
        "print(data.decode())  # ten lines; it would never end by itself",
    ],
}

_NO_HALF_CLOSE = "sock.unwrap()  # close_notify; with Python nothing can be read after ours"

#: What differs over TLS: Python's unwrap() ends both directions, so what is to come comes before.
_SECURE_TALKS = {
    Dialogue.ECHO: [
        _HELLO,
        'data = b""',
        "while len(data) < 7 and (piece := sock.recv(4096)):",
        "    data += piece",
        "print(data)",
        _NO_HALF_CLOSE,
    ],
    Dialogue.OWN: [_HELLO, 'print(sock.recv(4096))  # what it says first, or b"" at its end'],
    Dialogue.LINES: [r'sock.sendall(b"hello\r\n/quit\r\n")', *_TO_THE_END],
    Dialogue.SILENT: [_HELLO, _NO_HALF_CLOSE, 'print("it answered nothing but close_notify")'],
}


def _talk(target: Target) -> list[str]:
    return (_TALKS | _SECURE_TALKS if target.secure else _TALKS)[target.dialogue]


# -- datagrams -------------------------------------------------------------------------------

_PADDED = "sock.send(bytes(512))  # no reply is longer than its request"

_DATAGRAM_TALKS = {
    Dialogue.SILENT: ['print(sock.send(b"hello"), "bytes sent; nobody answers")'],
    Dialogue.REPLY: [_PADDED, "print(sock.recv(65535).decode())"],
    Dialogue.ENDLESS: [_PADDED, "print(sock.recv(65535).decode())"],
    Dialogue.NUMBER: [_PADDED, "data = sock.recv(65535)"],
}


def _datagram(target: Target) -> Iterator[str]:
    family = "AF_INET6" if ":" in target.host else "AF_INET"
    talk = _DATAGRAM_TALKS.get(target.dialogue, ['sock.send(b"hello")', "print(sock.recv(65535))"])
    yield f"with socket.socket(socket.{family}, socket.SOCK_DGRAM) as sock:"
    yield f"{_INDENT}sock.settimeout(2)  # a datagram may be lost"
    yield f'{_INDENT}sock.connect(("{target.host}", {target.port}))  # hear nobody else'
    yield from (_INDENT + line for line in talk)
