"""The bugs by their names: what a failed case usually means, and what causes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bug:
    """*key* is for programs, *name* for people; *cause* is what usually brings it about.

    Its mend in Twisted, asyncio and plain Python stands in ``mends/KEY/``, each a whole server.
    """

    key: str
    name: str
    cause: str


#: Every bug, by its key.
BUGS: dict[str, Bug] = {
    bug.key: bug
    for bug in (
        Bug(
            "replies-lost",
            "replies lost when the client half-closes",
            "The end of the client's stream is taken for the end of the connection, which is"
            " closed with replies still unsent.",
        ),
        Bug(
            "reset-unread",
            "closed with unread data, so the peer saw RST",
            "close() while the receive buffer holds data makes the kernel send RST, which"
            " overtakes what was sent before.",
        ),
        Bug(
            "reads-once",
            "reads once per request",
            "One recv() is taken for one message, so a request that comes in two segments is cut.",
        ),
        Bug(
            "one-reply-a-read",
            "answers once per read, not once per request",
            "Requests that come in one segment are taken for one; the others get no reply.",
        ),
        Bug(
            "sends-once",
            "sends once, and forgets what send() left over",
            "send() may take a part of the data; what it returns is not looked at.",
        ),
        Bug(
            "no-back-pressure",
            "takes in without end for a client that does not read",
            "The server goes on reading while its replies pile up in memory.",
        ),
        Bug(
            "one-at-a-time",
            "serves one client at a time",
            "The next accept() comes when the client before has gone.",
        ),
        Bug(
            "others-cut-off",
            "one client's behaviour cuts off the others",
            "An error of one connection ends the loop that serves all, or a call on it blocks.",
        ),
        Bug(
            "closes-early",
            "closes while the client still asks",
            "The connection is closed after one reply, or at the first thing that is odd.",
        ),
        Bug(
            "dies",
            "one client's behaviour ends the server",
            "An exception of one connection is not caught, so the process ends.",
        ),
        Bug(
            "never-closes",
            "keeps the connection when the client is done",
            "recv() returned nothing, which is FIN, and the server neither closes nor ends.",
        ),
        Bug(
            "no-time-out",
            "keeps a silent connection for ever",
            "There is no time-out, or data of any kind, or a write, starts it anew.",
        ),
        Bug(
            "wrong-reply",
            "the reply is wrong",
            "What comes back is not what the protocol says.",
        ),
        Bug(
            "flood",
            "sends without being asked",
            "A loop that writes does not end, or does not wait.",
        ),
        Bug(
            "small-backlog",
            "connects wait because the backlog is small",
            "listen() has a small backlog, so SYNs are dropped and sent again after a second.",
        ),
        Bug(
            "line-ends",
            "knows one kind of line end only",
            "Lines are split at CRLF alone, or the CR is left in the line.",
        ),
        Bug(
            "endless-line",
            "takes a line without end into memory",
            "Nothing bounds what is kept of a line whose end has not come.",
        ),
        Bug(
            "cuts-datagrams",
            "cuts datagrams to its own buffer",
            "recvfrom() has a small buffer; what does not fit is thrown away by the kernel.",
        ),
        Bug(
            "answers-from-elsewhere",
            "answers a datagram from another address or port",
            "The reply leaves from a new socket, or from the address the route prefers.",
        ),
        Bug(
            "answers-replies",
            "answers what can only be a reply, so two servers can talk for ever",
            "Datagrams from well-known ports, or from itself, are answered as any other.",
        ),
        Bug(
            "amplifies",
            "answers a small datagram with a large one",
            "The source of a datagram may be forged, and the victim gets what the server sends.",
        ),
        Bug(
            "datagrams-lost",
            "datagrams are lost, doubled or mixed up",
            "A server that is slower than its askers, or answers the asker it heard last.",
        ),
        Bug(
            "leaks",
            "descriptors leaked: connections that have ended stay open",
            "A connection's socket is not closed on every way out, an error's above all.",
        ),
        Bug(
            "cannot-restart",
            "bind: address in use after a restart",
            "Without SO_REUSEADDR, connections in TIME_WAIT keep the port for a minute.",
        ),
        Bug(
            "ignores-sigterm",
            "does not end when it is asked to",
            "SIGTERM is ignored, or a thread that waits for a client holds up the end.",
        ),
        Bug(
            "old-tls",
            "speaks a version of TLS that is broken",
            "The context allows TLS 1.0 or 1.1.",
        ),
        Bug(
            "no-close-notify",
            "ends TLS without close_notify",
            "The socket is closed beneath TLS, so the client cannot tell an end from a cut.",
        ),
        Bug(
            "endless-handshake",
            "lets a TLS handshake take for ever",
            "The time-out begins after the handshake, or anew with each byte of it.",
        ),
    )
}
