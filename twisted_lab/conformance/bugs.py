"""The bugs by their names: what a failed case usually means, and what causes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bug:
    """*key* is for programs, *name* for people; *cause* is what usually brings it about.

    Its mend in Twisted, asyncio and plain Python is what ``mends.mend_of()`` cuts from a server.
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
            "FIN ends what the client sends, and no more: it still reads. The server takes it for"
            " the end of the connection, and closes with replies still unsent.",
        ),
        Bug(
            "reset-unread",
            "closed with unread data, so the peer saw RST",
            "close() while something is unread makes the kernel send RST, not FIN; and RST may"
            " take away what was sent before it. shutdown(), then reading to the end, avoids it.",
        ),
        Bug(
            "reads-once",
            "reads once per request",
            "What one recv() returns is taken for a whole request. But TCP keeps no boundaries:"
            " a request may come in two segments, and then the first half is all that is seen.",
        ),
        Bug(
            "one-reply-a-read",
            "answers once per read, not once per request",
            "What one recv() returns is taken for one request. When two come together the second"
            " is dropped, or waits until something else comes.",
        ),
        Bug(
            "sends-once",
            "sends once, and forgets what send() left over",
            "send() may take only a part of the data, and returns how much. That is not looked at,"
            " so the rest is never sent; sendall() sends all.",
        ),
        Bug(
            "no-back-pressure",
            "takes in without end for a client that does not read",
            "The server goes on reading, and writing replies, while those before are still unsent:"
            " they pile up in its memory.",
        ),
        Bug(
            "one-at-a-time",
            "serves one client at a time",
            "The next accept() comes only when the client before has gone, or has made its TLS"
            " handshake.",
        ),
        Bug(
            "others-cut-off",
            "one client's behaviour cuts off the others",
            "An error of one connection ends the loop that serves all, or a call on it blocks"
            " that loop.",
        ),
        Bug(
            "closes-early",
            "closes while the client still asks",
            "The server closes after one reply, where the protocol goes on, or at the first thing"
            " it did not expect.",
        ),
        Bug(
            "dies",
            "one client's behaviour ends the server",
            "An error of one client is not caught, so the process ends: RST, a write to a"
            " connection that has gone, bytes that cannot be decoded.",
        ),
        Bug(
            "never-closes",
            "keeps the connection when the client is done",
            "recv() returns no bytes when FIN has come. That is not looked at, and the server"
            " does not close its side.",
        ),
        Bug(
            "no-time-out",
            "keeps a silent connection for ever",
            "There is no time-out, or any byte starts it anew; or at its end the server closes"
            " only after sending the rest, which a client that does not read never lets happen.",
        ),
        Bug(
            "wrong-reply",
            "the reply is wrong",
            "What comes back is not what the protocol says: bytes are decoded, stripped or cut on"
            " their way, or the format is another.",
        ),
        Bug(
            "flood",
            "sends without being asked",
            "A greeting that the protocol does not have, or a loop that writes without waiting for"
            " the next request.",
        ),
        Bug(
            "small-backlog",
            "connects wait because the backlog is small",
            "listen() was given a small backlog. When so many wait to be accepted the kernel drops"
            " the next SYN, which the client sends again after a second.",
        ),
        Bug(
            "line-ends",
            "knows one kind of line end only",
            "Lines are split at CRLF alone, so that LF alone ends none; or at LF, with the CR left"
            " in the line.",
        ),
        Bug(
            "endless-line",
            "takes a line without end into memory",
            "Nothing bounds what is kept of a line whose end has not come.",
        ),
        Bug(
            "cuts-datagrams",
            "cuts datagrams to its own buffer",
            "recvfrom() is given a small buffer. The kernel fills it, and throws the rest of the"
            " datagram away without an error.",
        ),
        Bug(
            "answers-from-elsewhere",
            "answers a datagram from another address or port",
            "The reply leaves from a new socket; or the server's socket is bound to 0.0.0.0, and"
            " the kernel chooses the address by the route back.",
        ),
        Bug(
            "answers-replies",
            "answers what can only be a reply, so two servers can talk for ever",
            "Datagrams from well-known ports (below 1024), or from itself, are answered as any"
            " other. Servers have such ports, and a source can be forged.",
        ),
        Bug(
            "amplifies",
            "answers a small datagram with a large one",
            "The reply is longer than its request. The source of a datagram can be forged, and"
            " then the victim gets more than the attacker sent.",
        ),
        Bug(
            "datagrams-lost",
            "datagrams are lost, doubled or mixed up",
            "The server is slower than its askers, and its receive buffer is full; or it answers"
            " the asker it heard last, not the one who sent this datagram.",
        ),
        Bug(
            "leaks",
            "descriptors leaked: connections that have ended stay open",
            "A connection's socket is not closed on every way out: the way of an error is easily"
            " forgotten.",
        ),
        Bug(
            "cannot-restart",
            "bind: address in use after a restart",
            "Connections that the server closed first stay in TIME_WAIT for a minute, and keep its"
            " port unless SO_REUSEADDR was set before bind().",
        ),
        Bug(
            "ignores-sigterm",
            "does not end when it is asked to",
            "SIGTERM is ignored, or caught without ending; or a thread that waits for a client"
            " holds up the end.",
        ),
        Bug(
            "old-tls",
            "speaks a version of TLS that is broken",
            "The context allows TLS 1.0 or 1.1, which RFC 8996 forbids: set its minimum to 1.2.",
        ),
        Bug(
            "no-close-notify",
            "ends TLS without close_notify",
            "The socket is closed beneath TLS, so the client cannot tell an end from a cut.",
        ),
        Bug(
            "endless-handshake",
            "lets a TLS handshake take for ever",
            "There is no time-out for the handshake as a whole: it begins later, or anew with each"
            " byte.",
        ),
    )
}
