"""The calls of a watched program in a sentence each: what it does, and what its result meant here.

Sources: the manual pages of section 2 and ip(7), tcp(7), udp(7), unix(7), socket(7).
"""

from __future__ import annotations

from collections.abc import Callable

from twisted_lab.escaping import escape
from twisted_lab.events import Call

#: The detail of an end that no call made.
UNCLOSED = "the program ended without closing it"

_WAITS = ("select", "poll", "epoll_wait")

_MOVES = {
    "recv": "receive", "recv_into": "receive", "recvfrom": "receive", "recvfrom_into": "receive",
    "recvmsg": "receive", "recvmsg_into": "receive", "read": "receive",
    "send": "send", "sendall": "send", "sendto": "send", "sendmsg": "send", "write": "send",
    "sendfile": "send",
}  # fmt: skip

#: Seconds in the queue of accept() that are worth a word.
_QUEUED = 0.1

#: What an error means, whatever the call.
_ERRORS = {
    "EAGAIN": "it would have had to wait, and the socket is non-blocking",
    "timed out": "nothing happened in the time that settimeout() allows",
    "EINTR": "a signal came first",
    "EBADF": "the socket was closed before",
    "ENOTSOCK": "this descriptor is no socket",
    "ENOTCONN": "it is not connected",
    "EISCONN": "it is connected already",
    "EINVAL": "the socket is in no state for it, or an argument is wrong",
    "EACCES": "the system does not allow it: ports below 1024 are root's",
    "EPERM": "the system, or a firewall, does not allow it",
    "EMFILE": "this process has no descriptor left (ulimit -n): some were not closed",
    "ENFILE": "the whole system has no descriptor left",
    "ECONNRESET": "the peer sent RST: what was on its way is lost",
    "EPIPE": "the connection was over for sending: the peer had closed it",
    "ECONNABORTED": "the client gave up before it was accepted",
    "ECONNREFUSED": "nobody listens there: the answer was RST, or ICMP port unreachable",
    "ETIMEDOUT": "no answer came, however often the kernel asked",
    "EHOSTUNREACH": "no way to that host: a router, or the neighbour itself, did not answer",
    "ENETUNREACH": "this machine has no route there",
    "EADDRNOTAVAIL": "no interface of this machine has that address",
    "EADDRINUSE": "another socket has that port, or connections of an earlier run are in TIME_WAIT;"
    " for those SO_REUSEADDR is",
    "EINPROGRESS": "the handshake is under way, and the socket does not block: it will be writable",
    "EALREADY": "the handshake is still under way",
    "EMSGSIZE": "that is longer than a datagram may be",
    "EDESTADDRREQ": "nobody said where to",
    "EAFNOSUPPORT": "the address is of another family than the socket",
    "ENOBUFS": "the kernel had no memory for it",
    "ENOPROTOOPT": "there is no such option for this socket",
    "EAI_NONAME": "no such name is known, or no such service",
    "EAI_AGAIN": "the name servers did not answer; later they may",
    "EAI_FAMILY": "the address is of a family that is not known here",
    "SSLEOFError": "the peer closed the connection without TLS's close_notify",
    "SSLZeroReturnError": "the peer had ended the TLS stream",
    "SSLCertVerificationError": "the peer's certificate is not one that is trusted here",
}  # fmt: skip

_OPTIONS = {
    "SO_REUSEADDR": "bind() may take the port while connections of an earlier run are in TIME_WAIT",
    "SO_REUSEPORT": "several sockets may bind the same port, and the kernel shares out what comes",
    "SO_KEEPALIVE": "the kernel asks now and then whether a silent peer is still there",
    "SO_LINGER": "what close() does with what is unsent: wait, or (with 0 s) throw it away by RST",
    "SO_RCVBUF": "how much may wait to be read",
    "SO_SNDBUF": "how much may wait to be sent",
    "SO_BROADCAST": "datagrams may go to broadcast addresses",
    "SO_ERROR": "the error that waits for this socket: how a connect() that did not block came out",
    "SO_TYPE": "what kind of socket it is",
    "TCP_NODELAY": "small writes go out at once: Nagle's algorithm is off",
    "TCP_CORK": "small writes are held until there is a full segment",
    "IPV6_V6ONLY": "whether it takes IPv4 as well",
    "IP_ADD_MEMBERSHIP": "it joins a multicast group",
}


def explain_call(call: Call) -> str:
    """What *call* did, in a sentence that is safe to show."""
    if call.error is not None:
        return _failed(call)
    explainer = _EXPLAINERS.get(call.name)
    if explainer is not None:
        return explainer(call)
    if call.name in _WAITS:
        return _waited(call)
    if call.name in _MOVES:
        return f"{call.name}() returned {_of(call.result)}: the stream had ended before."
    return f"{call.name}() returned {_of(call.result)}."


def explain_result(call: Call) -> str | None:
    """What a call that moved bytes has to say for itself; None where its event says it."""
    if call.note == "collected":
        return "Nobody closed it: Python did, when the last that knew it had forgotten it."
    if call.note == "cut":
        return (
            f"{call.name}() returned the first {_of(call.result)} bytes of a datagram that was"
            " longer; the rest is thrown away."
        )
    if call.rest is not None:
        return (
            f"{call.name}() took {_of(call.result)} of {escape(call.arguments)}: the kernel's"
            " buffer is full, and the rest is the program's to send again."
        )
    if call.name == "do_handshake":
        return (
            "TLS is agreed on. What OpenSSL sends and receives for it, and for what follows, is"
            " inside it and not visible; what the program gives it and gets from it is."
        )
    if call.waited is not None and call.waited >= _QUEUED:
        return (
            f"{call.name}() gave us a connection that had waited {call.waited:.1f} s in the queue:"
            " the kernel had made it, and the program was busy."
        )
    return None


def shown(call: Call) -> str:
    """The call as a C programmer, or strace, would write it: ``recv(4096) = 5``."""
    came = f"-1 {call.error}" if call.error is not None else call.result
    came = call.error if call.error is not None and not call.error.isupper() else came
    return escape(f"{call.name}({call.arguments}) = {came}")


def place(call: Call) -> str:
    """Where it was called: ``server.py:12``."""
    if call.file is None:
        return ""
    return escape(f"{call.file.rpartition('/')[2]}:{call.line}")


def _of(text: str | None) -> str:
    return escape(text or "nothing")


def _failed(call: Call) -> str:
    error = call.error or ""
    why = _ERRORS.get(error)
    if call.name in _WAITS and error == "EINTR":
        why = "a signal came while it waited"
    if error == "EAGAIN" and call.name == "accept":
        why = "nobody waits to be accepted, and the socket is non-blocking"
    elif error == "EAGAIN" and call.name in _MOVES:
        empty = _MOVES[call.name] == "receive"
        why = "nothing has come yet" if empty else "the kernel's buffer is full: the peer is slower"
        why += ", and the socket is non-blocking"
    said = "timed out" if error == "timed out" else f"failed with {escape(error)}"
    return f"{call.name}() {said}: {why}." if why else f"{call.name}() {said}."


def _made(call: Call) -> str:
    kinds = {
        "AF_INET, SOCK_STREAM": "a TCP socket for IPv4",
        "AF_INET6, SOCK_STREAM": "a TCP socket for IPv6",
        "AF_INET, SOCK_DGRAM": "a UDP socket for IPv4",
        "AF_INET6, SOCK_DGRAM": "a UDP socket for IPv6",
        "AF_UNIX, SOCK_STREAM": "a UNIX stream socket",
        "AF_UNIX, SOCK_DGRAM": "a UNIX datagram socket",
    }
    what = next((text for key, text in kinds.items() if call.arguments.startswith(key)), "a socket")
    return f"socket() made {what}, without an address yet; its descriptor is {_of(call.result)}."


def _waited(call: Call) -> str:
    if (call.result or "").startswith("0 "):
        return f"{call.name}() waited until its time was up: no socket was ready."
    count = _of(call.result).partition(" ")[0]
    ready = "one was" if count == "1" else f"{count} were"
    return f"{call.name}() waited until {ready} ready, of those it was asked about."


def _set(call: Call) -> str:
    option = next((one for one in _OPTIONS if one in call.arguments), None)
    what = f": {_OPTIONS[option]}" if option else ""
    return f"setsockopt() set {escape(call.arguments)}{what}."


def _got(call: Call) -> str:
    option = next((one for one in _OPTIONS if one in call.arguments), None)
    what = f", {_OPTIONS[option]}" if option else ""
    return f"getsockopt() says {_of(call.result)}{what}."


def _closed(call: Call) -> str:
    return "close() gave the descriptor back; no connection ended by it."


def _connected(call: Call) -> str:
    return (
        f"connect() set {escape(call.arguments)} as the one to send to; nothing goes over the"
        " network by it."
    )


_EXPLAINERS: dict[str, Callable[[Call], str]] = {
    "socket": _made,
    "fromfd": lambda call: "A socket object was made of a descriptor that was there.",
    "socketpair": lambda call: "socketpair() made two sockets that are connected to each other.",
    "bind": lambda call: (
        f"bind() gave the socket the address {escape(call.arguments)}"
        f"{': port 0 stands for any free one' if call.arguments.endswith(':0') else ''}."
    ),
    "connect": _connected,
    "connect_ex": _connected,
    "setsockopt": _set,
    "getsockopt": _got,
    "settimeout": lambda call: (
        "settimeout(None): calls block for as long as it takes."
        if call.arguments == "None"
        else f"settimeout(): calls give up after {escape(call.arguments)} s."
    ),
    "setblocking": lambda call: (
        f"setblocking(): calls {'block' if call.arguments == 'True' else 'return at once'}"
        " when there is nothing to do."
    ),
    "getsockname": lambda call: f"Its own address is {_of(call.result)}.",
    "getpeername": lambda call: f"Its peer's address is {_of(call.result)}.",
    "getaddrinfo": lambda call: (
        f"Names were looked up: {_of(call.result)}. What was asked of the"
        " network for it is inside the C library, and not visible."
    ),
    "gethostbyaddr": lambda call: (
        f"The name of {escape(call.arguments)} was looked up. What was asked of the network for it"
        " is inside the C library, and not visible."
    ),
    "shutdown": lambda call: (
        f"shutdown({escape(call.arguments)}): that direction had ended before, or"
        " nothing is told to the peer by it."
    ),
    "detach": lambda call: "The socket object let go of its descriptor, which stays open.",
    "close": _closed,
    "unwrap": lambda call: "TLS was ended with close_notify in both directions.",
}
