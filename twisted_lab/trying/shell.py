"""Lines for a shell: nc, telnet, socat and openssl, and what haproxy.cfg would say."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.protocols import Dialogue
from twisted_lab.trying.quoting import for_shell, for_socat
from twisted_lab.trying.target import Target

#: Title, language and text.
Row = tuple[str, str, str]

#: A request of zeros, long enough for any reply of these services: none is longer than its request.
_PADDING = "head -c 512 /dev/zero"

_HEADER = r"printf 'PROXY UNKNOWN\r\n'"

#: Where a person has a say; the others speak by themselves.
_LISTENING = (Dialogue.ECHO, Dialogue.LINES, Dialogue.SILENT, Dialogue.OWN)

#: Where the end is the server's, or ours as soon as there was enough.
_ENDING = (Dialogue.REPLY, Dialogue.NUMBER, Dialogue.ENDLESS)

#: What comes in lines of text, so that telnet shows it well.
_FOR_TELNET = (Dialogue.ECHO, Dialogue.LINES, Dialogue.REPLY)


def rows(target: Target) -> Iterator[Row]:
    """The lines for *target*, the best one first."""
    if target.datagram:
        yield "nc", "sh", _datagram(target)
    elif target.secure and target.proxied:
        yield "haproxy", "haproxy", _haproxy_line(target)
    elif target.secure:
        yield "openssl", "sh", _piped(target, _openssl(target))
    elif target.path is not None and target.path.endswith(b"\n"):
        return
    elif target.path is not None:
        if not target.abstract:
            yield "nc", "sh", _piped(target, f"nc -U {for_shell(target.path)}")
        if b"\0" not in target.path[1:]:  # no argument of a program can have one
            yield "socat", "sh", _piped(target, _socat(target.path))
    else:
        yield from _tcp(target)


def _tcp(target: Target) -> Iterator[Row]:
    nc = "nc", "sh", _piped(target, f"nc {target.host} {target.port}")
    telnet = "telnet", "sh", f"telnet {target.host} {target.port}"
    if target.proxied or target.dialogue not in _FOR_TELNET:
        yield nc
    elif target.dialogue is Dialogue.LINES:
        yield from (telnet, nc)
    else:
        yield from (nc, telnet)


def _piped(target: Target, client: str) -> str:
    """*client* with what goes into it and what becomes of its output."""
    before = ""
    if target.proxied:
        before = f"({_HEADER}; cat) | " if target.dialogue in _LISTENING else f"{_HEADER} | "
    elif target.dialogue in _ENDING and client.startswith("nc "):
        client += " </dev/null"  # else nc stays until the person ends the input, too
    return before + client + _after(target)


def _after(target: Target) -> str:
    if target.dialogue is Dialogue.ENDLESS and not target.datagram:
        return " | head -100"
    return " | od -An -tu4 --endian=big" if target.dialogue is Dialogue.NUMBER else ""


def _datagram(target: Target) -> str:
    if target.dialogue in _LISTENING:
        return f"nc -u {target.host} {target.port}"
    return f"{_PADDING} | nc -u -w1 {target.host} {target.port}{_after(target)}"


def _socat(path: bytes) -> str:
    kind, name = (b"ABSTRACT-", path[1:]) if path.startswith(b"\0") else (b"UNIX-", path)
    return f"socat - {for_shell(kind + b'CONNECT:' + for_socat(name))}"


def _openssl(target: Target) -> str:
    own = " -cert client.pem -key client.pem" if target.asks_certificate else ""
    return f"openssl s_client -quiet{own} -connect {target.pair}"


def _haproxy_line(target: Target) -> str:
    own = " crt client.pem" if target.asks_certificate else ""
    return f"server bench {target.pair} send-proxy-v2 ssl verify none{own}"
