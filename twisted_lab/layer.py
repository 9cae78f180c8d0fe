"""What all streams of one service share: its gates, its policies' hooks, its clock, its count.

Rule: a policy that raises is reported and removed; the connection lives on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol, IProtocolFactory
from zope.interface import implementer

from twisted_lab.addresses import Host, host_of, show, show_pair
from twisted_lab.errors import summary
from twisted_lab.events import Event, Note, Received, Refused, Sent
from twisted_lab.gates import GATE_HOOKS, Gates, hooks_of
from twisted_lab.interfaces import Clock, Refusal
from twisted_lab.proxy import Proxy
from twisted_lab.publishing import Publisher, sampled
from twisted_lab.refusing import RefusalLine
from twisted_lab.wrapping import SecureStream, Stream

#: The hooks of :class:`twisted_lab.interfaces.Policy` that concern a stream, in its order.
HOOKS = ("opened", "received", "sent", "check", "closed")

_EVERY_HOOK = (*GATE_HOOKS, *HOOKS, "let_go")

#: A close flushes as long as something moves; after this many seconds of nothing it is aborted.
#: Twisted's own loseConnection() has no end at all (twisted#7926).
GRACE = 5.0

#: A reply-and-close reads and drops this many seconds after its FIN, so that unread input does
#: not turn the FIN into an RST that overtakes the reply (RFC 1122 4.2.2.13).
LINGER = 1.0

#: Seconds for which a new or a closing stream has no alarm of its own. Most are gone by then, and
#: setting and cancelling an alarm is a good part of what a short connection costs.
YOUTH = 0.05


class Layer:
    """The shared part of the one layer between a transport and a protocol.

    *name* is the service's; *clock* gives seconds() and callLater(); *new_number* numbers
    connections; *lines* says that a person reads what this service says, so may be told in a line
    why a connection ends. *grace* and *linger* are in seconds.
    """

    __slots__ = (
        "clock",
        "gates",
        "grace",
        "linger",
        "lines",
        "name",
        "policies",
        "new_number",
        "protocols",
        "publisher",
        "seconds",
        "streams",
        "watched",
        "_half_closers",
        "_young",
        "_young_alarm",
        *HOOKS,
    )

    opened: tuple[Callable[[Stream], object], ...]
    closed: tuple[Callable[[Stream], object], ...]
    received: tuple[Callable[[Stream, int], object], ...]
    sent: tuple[Callable[[Stream, int], object], ...]
    check: tuple[Callable[[Stream, float], float], ...]

    def __init__(
        self,
        name: str,
        protocols: IProtocolFactory,
        clock: Clock,
        publisher: Publisher,
        new_number: Callable[[], int],
        policies: Iterable[object] = (),
        *,
        lines: bool = False,
        grace: float = GRACE,
        linger: float = LINGER,
    ) -> None:
        self.name = name
        self.protocols = protocols
        self.clock = clock
        self.seconds = clock.seconds
        self.publisher = publisher
        self.new_number = new_number
        self.lines = lines
        self.grace = grace
        self.linger = linger
        self.streams: set[Stream] = set()
        self._half_closers: dict[type, bool] = {}
        self._young: set[Stream] = set()
        self._young_alarm: Any = None
        self.policies = list(policies)
        self.gates = Gates(self.broken)
        self.watched = False
        self._take_hooks()
        publisher.changed.append(self._settle)

    def _take_hooks(self) -> None:
        self.gates.use(self.policies)
        for name in HOOKS:
            setattr(self, name, hooks_of(self.policies, name))
        self._settle()

    def _settle(self) -> None:
        #: Somebody wants to hear of each message: a policy, or an observer.
        watched = bool(self.received or self.sent or self.publisher.traffic)
        if watched != self.watched:
            self.watched = watched
            for stream in self.streams:
                stream.watched = watched or stream.sampled > 0

    def install(self, policy: object) -> None:
        """Add the hooks that *policy* has, after those already there."""
        self.policies.append(policy)
        self._take_hooks()

    def use(self, policies: Iterable[object]) -> None:
        """Have *policies*, in this order, in place of those there are.

        One that goes lets go of the open streams. One that comes is told of each that it was let
        in and has opened, so it counts whoever will leave. Every stream looks at its time soon.
        Where none comes or goes nothing happens.
        """
        wanted, streams = list(policies), tuple(self.streams)
        come = _without(wanted, self.policies)
        gone = _without(self.policies, wanted)
        if not come and not gone:
            return
        for stream in streams:
            self._call(hooks_of(gone, "let_go"), stream)
        self.policies = wanted
        self._take_hooks()
        self.gates.count(come, [(stream.host, stream.secure) for stream in streams])
        for stream in streams:
            if not stream.ending:
                self._call(hooks_of(come, "opened"), stream)
            self.look_soon(stream)

    def remove(self, policy: object) -> None:
        """Take out every hook of *policy*."""
        self.policies = [one for one in self.policies if one is not policy]
        self._take_hooks()

    def run(self, name: str, *arguments: Any) -> None:
        """Call every hook of that *name*; one that raises costs its policy its place."""
        self._call(getattr(self, name), *arguments)

    def _call(self, hooks: Iterable[Callable[..., object]], *arguments: Any) -> None:
        for hook in hooks:
            try:
                hook(*arguments)
            except Exception as error:
                self.broken(hook, error)

    def knows_half_close(self, protocol: object) -> bool:
        """Whether *protocol* provides IHalfCloseableProtocol; asked once for each class."""
        kind = type(protocol)
        if kind not in self._half_closers:
            self._half_closers[kind] = IHalfCloseableProtocol.implementedBy(kind)
        return self._half_closers[kind]

    def watch_received(self, stream: Stream, data: bytes) -> None:
        """Tell whoever wants to hear of each message that *data* came."""
        if self.received and not stream.ending:
            self.run("received", stream, len(data))
        if self.publisher.traffic or stream.sampled:
            self._publish_traffic(Received, stream, data)

    def write_watched(self, stream: Stream, data: bytes) -> None:
        """The same for *data* that goes; the policies hear of it once it is written."""
        if self.publisher.traffic or stream.sampled:
            self._publish_traffic(Sent, stream, data)
        stream.transport.write(data)
        if self.sent:
            self.run("sent", stream, len(data))

    def _publish_traffic(
        self, kind: type[Received] | type[Sent], stream: Stream, data: bytes
    ) -> None:
        publisher = self.publisher
        captured = publisher.captured(data)
        self.publish(stream, kind(publisher.now(), self.name, stream.id, len(data), captured))

    def publish(self, stream: Stream, event: Event) -> None:
        """Publish *event*, which is about *stream* and may be one of its first."""
        left = stream.sampled
        self.publisher.publish(event, left > 0)
        if left:
            stream.sampled = left - 1
            if left == 1:
                stream.watched = self.watched

    def follow(self, stream: Stream, followed: bool) -> None:
        """Have every event of *stream* built from now on, for who takes samples; or no more."""
        stream.sampled = sampled(stream.sampled, followed)
        stream.watched = stream.sampled > 0 or self.watched

    def broken(self, hook: Any, error: Exception) -> None:
        """Report and remove the policy whose *hook* raised *error*."""
        for policy in self.policies:
            if any(getattr(policy, name, None) == hook for name in _EVERY_HOOK):
                self.remove(policy)
                name = type(policy).__name__
                self.note("policy", f"policy {name} failed and was removed: {summary(error)}")
                return

    def note(self, kind: str, text: str) -> None:
        """Publish a :class:`~twisted_lab.events.Note`."""
        self.publisher.offer(Note, self.name, kind, text)

    def look_soon(self, stream: Stream) -> None:
        """Have *stream* look at its time within :data:`YOUTH`, if it is still there then."""
        self._young.add(stream)
        if self._young_alarm is None:
            self._young_alarm = self.clock.callLater(YOUTH, self._look_at_young)

    def _look_at_young(self) -> None:
        self._young_alarm = None
        young, self._young = self._young, set()
        for stream in young:
            stream.look()

    def stop(self) -> None:
        """No stream is left and none will come: leave no alarm in the clock."""
        if self._young_alarm is not None and not self.streams:
            self._young_alarm.cancel()
            self._young_alarm = None
            self._young.clear()

    def forget(self, stream: Stream) -> None:
        """*stream* is gone."""
        self.streams.discard(stream)
        self._young.discard(stream)  # else it, and all it holds, would live until the next look
        if self.closed:
            self.run("closed", stream)
        self.gates.leave(stream.host, stream.secure)

    def next_check(self, stream: Stream, now: float) -> float:
        """Ask every timed policy about *stream*; when (in seconds) to ask again, maybe never."""
        soonest = float("inf")
        for check in self.check:
            try:
                soonest = min(soonest, check(stream, now))
            except Exception as error:
                self.broken(check, error)
        return soonest


def _without(policies: list[object], others: list[object]) -> list[object]:
    return [one for one in policies if not any(one is other for other in others)]


@implementer(IProtocolFactory)
class StreamFactory:
    """The factory of one listener: gates first, then a :class:`Stream` round each protocol.

    *local* is the listener's address as text, *transport* the word for it (``tcp``, ``tls`` …);
    *secure* wraps a stream in its TLS connection. Stands below a Twisted port.
    """

    noisy = False
    #: What the protocol's own factory raised when it was to start, in a sentence.
    failure: str | None = None

    def __init__(
        self,
        layer: Layer,
        local: str = "",
        transport: str = "tcp",
        secure: Callable[[Stream], Any] | None = None,
    ) -> None:
        self.layer = layer
        self.local = local
        self.transport = transport
        self.secure = secure

    def doStart(self) -> None:
        """Tell the protocol's own factory that it is in use."""
        try:
            self.layer.protocols.doStart()
        except Exception as error:  # Twisted would leave the port's socket open
            self.failure = f"{self.layer.name}: startFactory: {summary(error)}"

    def doStop(self) -> None:
        """The same, the other way; what it raises stops no stop."""
        try:
            self.layer.protocols.doStop()
        except Exception as error:
            self.layer.note("exception", f"stopFactory: {summary(error)}")

    def logPrefix(self) -> str:
        """What Twisted puts before its own log lines."""
        return f"socketlab {self.layer.name}"

    def buildProtocol(self, address: IAddress) -> Any:
        """A stream for the accepted connection, or what its refusal needs; None just closes it."""
        return self.build(address)

    def build(self, address: IAddress, proxy: Proxy | None = None) -> Any:
        """The same for the client at *address*, who came through *proxy* if that is not None."""
        layer = self.layer
        host = host_of(address)
        refusal = layer.gates.enter(host, self.secure is not None, proxy is not None)
        if refusal is not None:
            return self._refused(address, refusal, proxy)
        try:
            protocol = layer.protocols.buildProtocol(address)
        except Exception as error:
            layer.note("exception", f"buildProtocol: {summary(error)}")
            protocol = None
        if protocol is None:
            layer.gates.leave(host, self.secure is not None)
            return self._refused(address, Refusal("protocol", ""), proxy)
        stream = self._stream(protocol, address, host, proxy)
        return stream if self.secure is None else self.secure(stream)

    def _stream(self, protocol: Any, address: IAddress, host: Host, proxy: Proxy | None) -> Stream:
        kind = Stream if self.secure is None else SecureStream
        return kind(self.layer, protocol, address, host, self.local, self.transport)

    def _refused(
        self, address: IAddress, refusal: Refusal, proxy: Proxy | None
    ) -> RefusalLine | None:
        layer = self.layer
        self.refused(show(address), refusal, self.local, proxy)
        if not layer.lines or self.secure is not None or not refusal.text:
            return None
        return RefusalLine.make(refusal.text, layer.clock, layer.linger)

    def refused(self, peer: str, refusal: Refusal, local: str, proxy: Proxy | None = None) -> None:
        """Publish that a connection from *peer* to *local* ends before it is a stream."""
        name, balancer = self.layer.name, None if proxy is None else proxy.balancer
        self.layer.publisher.offer(
            Refused, name, peer, local, refusal.gate, refusal.text, proxy=balancer
        )

    def accept_failed(self, said: Mapping[str, Any]) -> None:
        """A log event of Twisted's port: it closed a connection at once, or could not accept."""
        layer = self.layer
        if (address := said.get("address")) is not None:
            who = show_pair(*address[:2]) if isinstance(address, tuple) else "unix:"
            layer.publisher.offer(Refused, layer.name, who, self.local, "descriptors")
        elif (error := said.get("acceptError")) is not None:
            layer.note("accept", f"could not accept: {error}")
