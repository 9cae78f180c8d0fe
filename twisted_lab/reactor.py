"""The lean reactor: Twisted's epoll reactor, with less work per message (Linux).

``twistd --reactor=lean ANYTHING``, or before anything imports the reactor::

    from twisted_lab import reactor

    reactor.install()

Three things make it quicker, and nothing else differs from :class:`EPollReactor`:

- *Dispatch.* Twisted runs each event in a log context freshly made for it. Here stands something
  in its place that costs next to nothing and is worked out when somebody reads it.
- *Joined writes.* What a protocol writes while it is given data is sent when it returns: no
  ``epoll_ctl`` to wait for room that is there, none to stop waiting, no turn of the loop between.
  What the kernel does not take, and all else that waits for room (a close, a half-close, a
  producer), goes Twisted's usual way.
- *Datagrams.* A host that datagrams go to is looked at once, not each time.

``docs/reactor.md`` shows where the time goes. This file knows nothing of socketlab and may be
copied. It stands on seams of Twisted that are documented or have long been the same, listed in
``_SEAMS`` and checked on 26.10; when one has moved, :func:`install` takes the epoll reactor.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from errno import ECONNREFUSED, EMSGSIZE, ENOBUFS
from select import EPOLLIN
from socket import AF_INET, AF_INET6, AF_UNIX
from typing import Any

from twisted.internet import error, main, tcp, udp, unix
from twisted.internet.abstract import FileDescriptor
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.posixbase import PosixReactorBase
from twisted.python import context, log

__all__ = ["LeanReactor", "install", "moved_seams"]


# --- the log context -----------------------------------------------------------------------------


class LogContext:
    """Stands on the stack of contexts for what ``log.callWithLogger`` would put there.

    A context is read by subscription alone (``twisted.python.context``), and by few: ``log.msg``
    and ``log.err``.
    """

    __slots__ = ("_owner",)

    def __init__(self, owner: Any) -> None:
        self._owner = owner

    def __getitem__(self, key: object) -> dict[str, Any]:
        if key is not log.ILogContext:
            raise KeyError(key)
        return self._outer() | {"system": self._prefix()}

    def _outer(self) -> dict[str, Any]:
        outer: dict[str, Any] = {}
        for beneath in _contexts():
            if beneath is self:
                break
            with suppress(KeyError):
                outer = beneath[log.ILogContext]
        return outer

    def _prefix(self) -> str:
        owner = self._owner
        try:
            return str(owner.logPrefix())
        except Exception:
            self._owner = _BuggyPrefix  # what logs this asks again
            log.err()
            self._owner = owner
            return _BuggyPrefix.logPrefix()


class _BuggyPrefix:
    @staticmethod
    def logPrefix() -> str:
        return "(buggy logPrefix method)"  # as callWithLogger has it


def _contexts() -> list[Any]:
    """This thread's stack of contexts, the innermost last."""
    stack: list[Any] = context.theContextTracker.currentContext().contexts
    return stack


# --- stream transports ---------------------------------------------------------------------------

#: Bytes that one connection may send in a turn of the loop, as Twisted has it.
_MOST = FileDescriptor.SEND_LIMIT


class _Joining(FileDescriptor):
    """Sends what its protocol writes while it is given data when it returns, in one piece.

    Until then the bytes are in the buffer where :class:`FileDescriptor` has them too, and that
    somebody wants to wait for room is remembered.
    """

    socket: Any
    protocol: Any
    TLS: bool

    def __init__(self, *args: Any, **keywords: Any) -> None:
        self.log_context: LogContext | None = LogContext(self)
        self._given = False  # the protocol is being given data, and has not ended this since
        self._asked = False  # startWriting was called meanwhile
        # FileDescriptor has these once for all, but Python (3.11) finds what is an object's own
        # ten times quicker than what is its class's, and each message asks for them.
        self.bufferSize = self.bufferSize
        self.dataBuffer = b""
        self.disconnecting = 0
        self.producer = None
        self.TLS = False
        self._writeDisconnected = self._writeDisconnecting = False
        super().__init__(*args, **keywords)

    def _give(self, data: bytes) -> Any:
        """Give *data* to the protocol, send what it writes; an exception if the connection ended.

        An exception of the protocol's passes through, and nothing is sent: the connection ends.
        """
        # What waits for room already goes first, so what is written now waits behind it.
        self._given = not (self._tempDataBuffer or self.dataBuffer or self._writeDisconnected)
        try:
            self.protocol.dataReceived(data)
        except BaseException:
            self._given = False
            raise
        if not self._given:
            return None
        self._given = False
        return self._send() if self._tempDataBuffer or self._asked else None

    def _send(self) -> Any:
        self._asked = False
        written = self._tempDataBuffer
        if not written or self._ends_or_resumes_when_sent():
            self.reactor.addWriter(self)
            return None
        data = written[0] if len(written) == 1 else b"".join(written)
        try:
            sent = self.socket.send(data if len(data) <= _MOST else memoryview(data)[:_MOST])
        except BlockingIOError:
            sent = 0
        except OSError as problem:
            if problem.errno != ENOBUFS:
                return main.CONNECTION_LOST
            sent = 0
        written.clear()
        self._tempDataLen = 0
        if sent < len(data):
            self.dataBuffer, self.offset = data, sent
            self.reactor.addWriter(self)
        return None

    def _ends_or_resumes_when_sent(self) -> bool:
        """Something is to follow the last byte at once, as it does where Twisted sends them.

        Sent from here, the bytes themselves could take the room that it would then wait for.
        """
        return bool(
            self.disconnecting
            or self._writeDisconnecting
            or (self.producer is not None and (self.producerPaused or not self.streamingProducer))
        )

    def write(self, data: bytes) -> None:
        """Write *data*: see ITransport."""
        if self._given and data.__class__ is bytes and data and not self.TLS:
            self._tempDataBuffer.append(data)
            self._tempDataLen += len(data)
            if self.producer is not None:
                self._maybePauseProducer()
        else:
            super().write(data)

    def startWriting(self) -> None:
        """Be told when there is room."""
        if self._given:
            self._asked = True
        else:
            self.reactor.addWriter(self)

    def stopWriting(self) -> None:
        """Be told no longer; to abort and to lose the connection do this too."""
        self._given = self._asked = False
        self.reactor.removeWriter(self)

    def connectionLost(self, reason: Any) -> None:
        """End: see FileDescriptor."""
        super().connectionLost(reason)
        self.log_context = None  # else the two would keep each other from being freed


class _TCPJoining(_Joining):
    def doRead(self) -> Any:
        """Read once, at most ``bufferSize`` bytes, and give them to the protocol."""
        try:
            data = self.socket.recv(self.bufferSize)
        except BlockingIOError:
            return None
        except OSError:
            return main.CONNECTION_LOST
        return self._give(data) if data else main.CONNECTION_DONE


class _UNIXJoining(_Joining):
    _sendmsgQueue: list[int]

    def _dataReceived(self, data: bytes | None) -> Any:
        """What doRead read, with any descriptors that came along taken off."""
        return self._give(data) if data else main.CONNECTION_DONE

    def _send(self) -> Any:
        if not self._sendmsgQueue:
            return super()._send()
        self._asked = False
        self.reactor.addWriter(self)  # descriptors travel with bytes, by sendmsg
        return None


class _Server(_TCPJoining, tcp.Server):
    pass


class _Client(_TCPJoining, tcp.Client):
    pass


class _UNIXServer(_UNIXJoining, unix.Server):
    pass


class _UNIXClient(_UNIXJoining, unix.Client):
    pass


#: A read from one of these takes the straight path.
_STREAMS: frozenset[Any] = frozenset((_Server, _Client, _UNIXServer, _UNIXClient))


class _Port(tcp.Port):
    transport = _Server  # documented: "it can be replaced"


class _UNIXPort(unix.Port):
    transport = _UNIXServer


class _Connector(tcp.Connector):
    def _makeTransport(self) -> Any:
        return _Client(self.host, self.port, self.bindAddress, self, self.reactor)


class _UNIXConnector(unix.Connector):
    def _makeTransport(self) -> Any:
        return _UNIXClient(self.address, self, self.reactor, self.checkPID)


# --- datagrams -----------------------------------------------------------------------------------


class _DatagramPort(udp.Port):
    """Looks at a host it sends to once, where Twisted does for each datagram."""

    _known: set[str]  # hosts that Twisted has found to be addresses of this port's family
    _most_known = 1000

    def write(self, datagram: bytes, addr: Any = None) -> Any:
        """Send *datagram* to *addr*: see IUDPTransport."""
        if self._connectedAddr or addr is None or addr[0] not in self._known:
            return self._write_checked(datagram, addr)
        try:
            return self.socket.sendto(datagram, addr)
        except OSError as problem:  # as udp.Port.write has it
            if problem.errno == EMSGSIZE:
                raise error.MessageLengthError("message too long") from None
            if problem.errno == ECONNREFUSED:
                return None  # of an earlier datagram
            raise

    def _write_checked(self, datagram: bytes, addr: Any) -> Any:
        sent = super().write(datagram, addr)
        if not self._connectedAddr:
            if len(self._known) >= self._most_known:
                self._known.clear()
            self._known.add(addr[0])
        return sent

    def startListening(self) -> None:
        """Bind and read: see IListeningPort."""
        self._known = set()
        super().startListening()


# --- the reactor ---------------------------------------------------------------------------------


class LeanReactor(EPollReactor):
    """Twisted's epoll reactor, with less work per message."""

    def doPoll(self, timeout: float | None) -> None:
        """Wait at most *timeout* seconds (None: for ever), then handle what is ready."""
        # EINTR needs no care: Python goes on waiting (PEP 475).
        events = self._poller.poll(-1 if timeout is None else timeout, len(self._selectables))
        contexts = _contexts()
        selectables: dict[int, Any] = self._selectables
        contexts.append(None)
        try:
            for descriptor, event in events:
                try:
                    selectable = selectables[descriptor]
                except KeyError:
                    continue  # what came before it in this turn closed it
                if event == EPOLLIN and selectable.__class__ in _STREAMS:
                    contexts[-1] = selectable.log_context
                    try:
                        why = selectable.doRead()
                    except BaseException as problem:
                        why = problem
                        log.err()
                    if why:
                        _guarded(self._disconnectSelectable, selectable, why, True)
                else:
                    contexts[-1] = LogContext(selectable)
                    _guarded(self._doReadOrWrite, selectable, descriptor, event)
        finally:
            contexts.pop()

    doIteration = doPoll

    def listenTCP(self, port: Any, factory: Any, backlog: int = 50, interface: str = "") -> Any:
        """Listen: see IReactorTCP."""
        return _listening(_Port(port, factory, backlog, interface, self))

    def connectTCP(
        self, host: str, port: Any, factory: Any, timeout: float = 30.0, bindAddress: Any = None
    ) -> Any:
        """Connect: see IReactorTCP."""
        connector = _Connector(host, port, factory, timeout, bindAddress, self)
        connector.connect()
        return connector

    def listenUNIX(
        self, address: Any, factory: Any, backlog: int = 50, mode: int = 0o666, wantPID: Any = 0
    ) -> Any:
        """Listen: see IReactorUNIX."""
        return _listening(_UNIXPort(address, factory, backlog, mode, self, wantPID))

    def connectUNIX(
        self, address: Any, factory: Any, timeout: float = 30, checkPID: Any = 0
    ) -> Any:
        """Connect: see IReactorUNIX."""
        connector = _UNIXConnector(address, factory, timeout, self, checkPID)
        connector.connect()
        return connector

    def adoptStreamPort(self, fileDescriptor: int, addressFamily: int, factory: Any) -> Any:
        """Listen on a socket that is there: see IReactorSocket."""
        if addressFamily == AF_UNIX:
            return _listening(_UNIXPort._fromListeningDescriptor(self, fileDescriptor, factory))
        if addressFamily in (AF_INET, AF_INET6):
            return _listening(
                _Port._fromListeningDescriptor(self, fileDescriptor, addressFamily, factory)
            )
        return super().adoptStreamPort(fileDescriptor, addressFamily, factory)  # refuses it

    def adoptStreamConnection(self, fileDescriptor: int, addressFamily: int, factory: Any) -> Any:
        """Serve a connection that is there: see IReactorSocket."""
        if addressFamily == AF_UNIX:
            return _UNIXServer._fromConnectedSocket(fileDescriptor, factory, self)
        if addressFamily in (AF_INET, AF_INET6):
            return _Server._fromConnectedSocket(fileDescriptor, addressFamily, factory, self)
        return super().adoptStreamConnection(fileDescriptor, addressFamily, factory)  # refuses it

    def listenUDP(
        self, port: Any, protocol: Any, interface: str = "", maxPacketSize: int = 8192
    ) -> Any:
        """Serve datagrams: see IReactorUDP."""
        return _listening(_DatagramPort(port, protocol, interface, maxPacketSize, self))

    def adoptDatagramPort(
        self, fileDescriptor: int, addressFamily: int, protocol: Any, maxPacketSize: int = 8192
    ) -> Any:
        """Serve datagrams on a socket that is there: see IReactorSocket."""
        if addressFamily not in (AF_INET, AF_INET6):
            return super().adoptDatagramPort(fileDescriptor, addressFamily, protocol)  # refuses it
        return _listening(
            _DatagramPort._fromListeningDescriptor(
                self, fileDescriptor, addressFamily, protocol, maxPacketSize
            )
        )


def _guarded(function: Callable[..., object], *arguments: object) -> None:
    """Call it; what it raises is logged, and the loop goes on, as with ``log.callWithLogger``."""
    try:
        function(*arguments)
    except KeyboardInterrupt:
        raise
    except BaseException:
        log.err()


def _listening(port: Any) -> Any:
    port.startListening()
    return port


# --- the seams -----------------------------------------------------------------------------------

#: Where the above holds on to Twisted: a function, its parameters, and names it must use for what
#: is here to fit. As on 26.10.
_SEAMS: Sequence[tuple[Any, str, str, str]] = (
    # Who waits, and who is told.
    (EPollReactor, "doPoll", "self timeout", "_poller poll _selectables callWithLogger"),
    (EPollReactor, "_doReadOrWrite", "self selectable fd event", "fileno doRead doWrite err"),
    (EPollReactor, "_disconnectSelectable", "self selectable why isRead faildict", ""),
    (EPollReactor, "addWriter", "self writer", "_writes _selectables"),
    # What a log context is.
    (log, "callWithLogger", "logger func", "logPrefix callWithContext err"),
    (context.ContextTracker, "callWithContext", "self newContext func", "contexts append pop"),
    (context.ContextTracker, "getContext", "self key default", "contexts reversed KeyError"),
    (context.ThreadedContextTracker, "currentContext", "self", "storage ct"),
    # How a transport writes, waits for room, and ends.
    (FileDescriptor, "write", "self data", "_tempDataBuffer append _tempDataLen startWriting"),
    (FileDescriptor, "write", "self data", "connected _writeDisconnected _maybePauseProducer"),
    (FileDescriptor, "writeSequence", "self iovec", "_tempDataBuffer _tempDataLen startWriting"),
    (
        FileDescriptor,
        "doWrite",
        "self",
        "_tempDataBuffer _tempDataLen dataBuffer offset SEND_LIMIT",
    ),
    (FileDescriptor, "doWrite", "self", "writeSomeData stopWriting disconnecting"),
    (FileDescriptor, "doWrite", "self", "_writeDisconnecting producer producerPaused"),
    (FileDescriptor, "startWriting", "self", "reactor addWriter"),
    (FileDescriptor, "stopWriting", "self", "reactor removeWriter"),
    (FileDescriptor, "connectionLost", "self reason", "stopReading stopWriting"),
    (FileDescriptor, "loseConnection", "self", "disconnecting startWriting stopReading"),
    (FileDescriptor, "loseWriteConnection", "self", "_writeDisconnecting startWriting"),
    (tcp.Connection, "abortConnection", "self", "stopReading stopWriting doRead doWrite"),
    (tcp.Connection, "write", "self bytes", "TLS connected protocol write"),
    (tcp.Connection, "writeSomeData", "self data", "socket send SEND_LIMIT ENOBUFS"),
    # How it reads.
    (tcp.Connection, "doRead", "self", "socket recv bufferSize _dataReceived"),
    (tcp.Connection, "_dataReceived", "self data", "protocol dataReceived CONNECTION_DONE"),
    (unix.Server, "doRead", "self", "recvmsg _dataReceived"),
    (unix.Server, "writeSomeData", "self data", "_sendmsgQueue sendmsg"),
    # Where transports are made.
    (tcp.Port, "__init__", "self port factory backlog interface reactor", ""),
    (tcp.Port, "doRead", "self", "transport buildProtocol makeConnection"),
    (tcp.Port, "_fromListeningDescriptor", "cls reactor fd addressFamily factory", ""),
    (tcp.Server, "_fromConnectedSocket", "cls fileDescriptor addressFamily factory reactor", ""),
    (tcp.Connector, "__init__", "self host port factory timeout bindAddress reactor", ""),
    (tcp.Connector, "_makeTransport", "self", "Client host port bindAddress reactor"),
    (tcp.Client, "__init__", "self host port bindAddress connector reactor", ""),
    (unix.Port, "__init__", "self fileName factory backlog mode reactor wantPID", ""),
    (unix.Port, "_fromListeningDescriptor", "cls reactor fd factory", ""),
    (unix.Server, "_fromConnectedSocket", "cls fileDescriptor factory reactor", ""),
    (unix.Connector, "__init__", "self address factory timeout reactor checkPID", ""),
    (unix.Connector, "_makeTransport", "self", "Client address reactor checkPID"),
    (unix.Client, "__init__", "self filename connector reactor checkPID", ""),
    (PosixReactorBase, "listenTCP", "self port factory backlog interface", "tcp Port"),
    (PosixReactorBase, "connectTCP", "self host port factory timeout bindAddress", "Connector"),
    (PosixReactorBase, "listenUNIX", "self address factory backlog mode wantPID", "unix Port"),
    (PosixReactorBase, "connectUNIX", "self address factory timeout checkPID", "Connector"),
    (udp.Port, "__init__", "self port proto interface maxPacketSize reactor", ""),
    (
        udp.Port,
        "_fromListeningDescriptor",
        "cls reactor fd addressFamily protocol maxPacketSize",
        "",
    ),
    (udp.Port, "write", "self datagram addr", "_connectedAddr isIPAddress sendto EMSGSIZE"),
    (PosixReactorBase, "listenUDP", "self port protocol interface maxPacketSize", "udp Port"),
    (
        PosixReactorBase,
        "adoptDatagramPort",
        "self fileDescriptor addressFamily protocol maxPacketSize",
        "udp Port startListening",
    ),
    (PosixReactorBase, "adoptStreamPort", "self fileDescriptor addressFamily factory", ""),
    (PosixReactorBase, "adoptStreamConnection", "self fileDescriptor addressFamily factory", ""),
)


def moved_seams() -> list[str]:
    """The seams that this Twisted does not have as 26.10 had them, as ``FileDescriptor.write``."""
    moved = [
        f"{owner.__name__}.{name}"
        for owner, name, parameters, used in _SEAMS
        if not _fits(getattr(owner, name, None), parameters.split(), used.split())
    ]
    return list(dict.fromkeys(moved))


def _fits(function: Any, parameters: list[str], used: list[str]) -> bool:
    code = getattr(function, "__code__", None)
    return (
        code is not None
        and list(code.co_varnames[: code.co_argcount]) == parameters
        and set(used) <= {*code.co_names, *code.co_freevars}
    )


_MOVED = moved_seams()


def install() -> None:
    """Install the lean reactor; the epoll reactor, saying so on stderr, where a seam has moved."""
    if _MOVED:
        print(f"the epoll reactor, not lean: Twisted moved {', '.join(_MOVED)}", file=sys.stderr)
    main.installReactor(EPollReactor() if _MOVED else LeanReactor())
