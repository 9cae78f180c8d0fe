"""The HTTP of the page: twisted.web's, bounded in everything a peer may send."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ServerFactory
from twisted.web.http import HTTPChannel, Request

from twisted_lab.events import CloseReason

#: Bytes of a request's header and of its body; a request of ours has some 600 and none.
HEADER = 8 * 2**10
BODY = 64 * 2**10

#: Header lines of a request. A browser sends about 15.
_HEADER_LINES = 64

#: Seconds for a whole request, and for which a connection may wait for its next one.
REQUEST_TIME = 10.0

#: Connections at once: a browser makes six at most.
CONNECTIONS = 16


class PageRequest(Request):
    """A request that is refused as soon as its body is too long."""

    channel: Any
    _body = 0
    _refused = False

    def __init__(
        self, channel: HTTPChannel, queued: object = None, parsePOSTFormSubmission: bool = False
    ) -> None:
        super().__init__(channel, parsePOSTFormSubmission=parsePOSTFormSubmission)

    def gotLength(self, length: int | None) -> None:
        """The header says how long the body is; None when it comes in chunks."""
        self.content = BytesIO()  # not a file: a body is never long
        if length is not None and length > BODY:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        """Some of the body."""
        self._body += len(data)
        if self._body > BODY:
            self._refuse()
        else:
            super().handleContentChunk(data)

    def _refuse(self) -> None:
        if not self._refused:
            self._refused = True
            self.channel.refuse("413 Content Too Large")

    def process(self) -> None:
        """The whole request is there."""
        if not self._refused:
            self.channel.factory.answer(self)


class Channel(HTTPChannel):
    """A connection of the page; a :class:`~twisted_lab.interfaces.Framed` protocol.

    So the layer below it ends one whose request takes too long, and spares one that is being
    answered.
    """

    totalHeadersSize = HEADER
    maxHeaders = _HEADER_LINES
    requestFactory = PageRequest
    transport: Any
    site: Any
    #: The layer below has the time-outs.
    timeOut = None
    factory: Any
    message_begun_at: float | None = None
    #: An answer is on its way that has no end: a stream of events.
    answering = False

    def dataReceived(self, data: bytes) -> None:
        """Some of a request; it waits while the peer does not read the last answer."""
        waits = self._handlingRequest or self.paused
        if self.message_begun_at is None and not waits:
            self.message_begun_at = self.factory.seconds()
        super().dataReceived(data)

    def requestDone(self, request: Any) -> None:
        """An answer is written, though maybe not read."""
        super().requestDone(request)
        if self._waitingForTransport:
            # twisted.web (26.10) would go on, and answer into memory without a bound.
            self.paused = True
            self._networkProducer.pauseProducing()

    def resumeProducing(self) -> None:
        """The peer has read the last answer (IPushProducer)."""
        super().resumeProducing()
        self.paused = False
        if self._buffer:
            self.dataReceived(b"")

    def allContentReceived(self) -> None:
        """The whole request is there."""
        self.message_begun_at = None
        super().allContentReceived()

    def refuse(self, status: str) -> None:
        """Answer *status* to a request that is not read to its end."""
        self.transport.write(f"HTTP/1.1 {status}\r\nConnection: close\r\n\r\n".encode())
        self.transport.end(CloseReason.LIMIT, status, linger=True)


class PageFactory(ServerFactory):
    """Makes the connections of the page; *answer* is called with each whole request."""

    noisy = False

    def __init__(
        self, answer: Callable[[PageRequest], object], seconds: Callable[[], float]
    ) -> None:
        self.answer = answer
        self.seconds = seconds

    def buildProtocol(self, address: IAddress | None) -> Channel:
        """A connection."""
        channel = Channel()
        channel.factory = channel.site = self
        return channel

    def log(self, request: PageRequest) -> None:
        """Nothing: who looks at the page is nobody's business."""
