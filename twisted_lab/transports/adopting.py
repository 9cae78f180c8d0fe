"""A stream port on a socket that somebody else opened, and goes on owning: only accept() is ours.

Twisted (26.10) adopts a UNIX socket as its own: it changes the file's mode and the backlog, shuts
the socket down for everybody and removes the file. Hence a port of ours for UNIX.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.internet import tcp, unix
from twisted.python.failure import Failure

from twisted_lab.layer import StreamFactory


def adopt(reactor: Any, descriptor: int, factory: StreamFactory, backlog: int) -> Any:
    """A port that accepts on a copy of the listening socket *descriptor*; raises OSError.

    At a stop it accepts as many as *backlog* that the kernel has connected by then.
    """
    handle = socket.socket(fileno=os.dup(descriptor))
    handle.setblocking(False)  # this holds for every copy
    if handle.family == socket.AF_UNIX:
        port: Any = AdoptedUnixPort(handle, factory, reactor)
        port.startListening()
    else:
        with handle:
            port = reactor.adoptStreamPort(handle.fileno(), handle.family, factory)
    port.backlog = backlog
    return port


class AdoptedUnixPort(unix.Port):
    """Accepts on *handle*, a listening UNIX socket; neither its file nor its mode is touched."""

    def __init__(self, handle: socket.socket, factory: StreamFactory, reactor: Any) -> None:
        super().__init__(os.fsencode(handle.getsockname()), factory, reactor=reactor)
        self._shouldShutdown = False
        self._streams = factory
        self.socket = handle

    def startListening(self) -> None:
        """Begin to accept."""
        tcp._reservedFD.reserve()  # as Twisted's own ports do, for when descriptors run out
        self._streams.doStart()
        self.connected = True
        self.fileno = self.socket.fileno  # type: ignore[method-assign]
        self.numberAccepts = 100
        self.startReading()

    def connectionLost(self, reason: Failure) -> None:
        """Close our copy of the socket."""
        tcp.Port.connectionLost(self, reason)
