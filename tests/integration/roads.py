"""The roads a stream can take to a child, and a blocking client for each, TLS included.

TLS is OpenSSL over memory buffers here, so that a test decides which bytes share a segment.
"""

from __future__ import annotations

import os
import socket
import ssl
from contextlib import suppress
from itertools import count

from tests.integration.child import PATIENCE, Child
from tests.integration.peers import reset

#: TCP over IPv4 and IPv6, UNIX, and TLS over IPv4.
ROADS = ("tcp4", "tcp6", "unix", "tls")

#: The options with which a child serves all of them.
FOUR_ROADS = ("--port", "0", "--listen", "unix:socket", "--listen", "tls:0")

#: The same, where each connection begins with a PROXY header.
FOUR_PROXIED_ROADS = tuple(
    word for road in ("tcp:0", "unix:socket", "tls:0") for word in ("--listen", f"haproxy:{road}")
)

_names = count()


def _shown(name: str | tuple[str, int]) -> str:
    if isinstance(name, str):
        return f"unix:{name}"
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Client:
    """One connection: what to put on the wire, what came off it, and the blocking calls on top."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        #: The peer said that it will say no more: only TLS can, before its FIN.
        self.said_end = False

    @property
    def name(self) -> str:
        """How a recording names us as its peer."""
        return _shown(self.socket.getsockname())

    @property
    def pair(self) -> tuple[str, str]:
        """The same, and how it names its own side: one port of ours may lead to two of theirs."""
        return self.name, _shown(self.socket.getpeername())

    def encode(self, data: bytes) -> bytes:
        """What goes on the wire for *data*."""
        return data

    def encode_end(self) -> bytes:
        """What goes on the wire before our FIN."""
        return b""

    def decode(self, data: bytes) -> bytes:
        """What *data* from the wire says."""
        return data

    @property
    def ended_well(self) -> bool:
        """The end of the stream, when it came, was as it should be."""
        return True

    def send(self, data: bytes) -> None:
        self.socket.sendall(self.encode(data))

    def finish(self, data: bytes = b"") -> None:
        """Send *data*, all that a last word needs, and FIN, without a gap."""
        self.socket.sendall(self.encode(data) + self.encode_end())
        self.socket.shutdown(socket.SHUT_WR)

    def receive(self) -> bytes:
        """Some bytes, or none at the end of the stream."""
        while not self.said_end and (data := self.socket.recv(2**16)):
            if said := self.decode(data):
                return said
        return b""

    def receive_exactly(self, size: int) -> bytes:
        """*size* bytes, or fewer if the stream ends before."""
        said = b""
        while len(said) < size and (more := self.receive()):
            said += more
        return said

    def receive_all(self) -> bytes:
        """Everything until the end of the stream."""
        pieces = []
        while piece := self.receive():
            pieces.append(piece)
        return b"".join(pieces)

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Close with RST."""
        reset(self.socket)


class SecureClient(Client):
    """The same over TLS, after :meth:`shake_hands`."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        super().__init__(sock)
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out)

    def shake_hands(self, before: bytes = b"") -> bytes:
        """Do the handshake; the client's last flight is returned, not sent.

        *before* goes in front of its first flight, in the same segment.

        Raises :class:`ConnectionError` when the peer ends the connection before.
        """
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self.socket.sendall(before + self._out.read())
                before = b""
                data = self.socket.recv(2**16)
                if not data:
                    raise ConnectionError("the connection ended during the handshake") from None
                self._in.write(data)
            else:
                return self._out.read()

    def encode(self, data: bytes) -> bytes:
        if data:
            self._tls.write(data)
        return self._out.read()

    def encode_end(self) -> bytes:
        with suppress(ssl.SSLWantReadError):  # the peer's own is not here yet
            self._tls.unwrap()
        return self._out.read()

    def decode(self, data: bytes) -> bytes:
        self._in.write(data)
        pieces = []
        try:
            while piece := self._tls.read(2**16):
                pieces.append(piece)
            self.said_end = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.said_end = True
        return b"".join(pieces)

    @property
    def ended_well(self) -> bool:
        return self.said_end


def client_context(version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """A client's TLS context that believes any certificate: these tests are of the transport."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


def open_socket(
    child: Child,
    service: str,
    road: str,
    source: str | None = None,
    receive_buffer: int | None = None,
    proxied: bool = False,
) -> socket.socket:
    """A connected socket on *road* to *service*, without TLS; *source* is our own address.

    *proxied*: where a PROXY header is expected, which is still to be sent.
    """
    if road == "unix":
        (shown,) = child.addresses(service, "haproxy:" * proxied + "unix")
        address: object = str(child.folder / shown.removeprefix("unix:"))
        source_address: object = str(child.folder / f"client-{os.getpid()}-{next(_names)}")
        family = socket.AF_UNIX
    else:
        family = socket.AF_INET6 if road == "tcp6" else socket.AF_INET
        host = "::1" if road == "tcp6" else "127.0.0.1"
        transport = "tls" if road == "tls" else "tcp"
        address = host, child.port(service, "haproxy:" * proxied + transport, host)
        source_address = source and (source, 0)
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(PATIENCE)
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source_address is not None:
            sock.bind(source_address)
        sock.connect(address)
        if family != socket.AF_UNIX:
            # Nagle's algorithm (RFC 896) would hold pieces back for an ACK that is itself delayed.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


def connect(
    child: Child,
    service: str,
    road: str,
    context: ssl.SSLContext | None = None,
    source: str | None = None,
    receive_buffer: int | None = None,
) -> Client:
    """A client on *road* to *service*, after the handshake where there is one."""
    sock = open_socket(child, service, road, source, receive_buffer)
    if road != "tls":
        return Client(sock)
    client = SecureClient(sock, context or client_context())
    try:
        sock.sendall(client.shake_hands())
    except BaseException:
        sock.close()
        raise
    return client
