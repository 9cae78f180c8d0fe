"""What ``socketlab connect`` takes, and what does not go together."""

from __future__ import annotations

from dataclasses import replace

from twisted.python import usage

from twisted_lab.addresses import host
from twisted_lab.command_line import CommandOptions
from twisted_lab.errors import SocketlabError
from twisted_lab.escaping import escape
from twisted_lab.targets import Target, parse_target
from twisted_lab.transports.endpoint_text import number_of


class ConnectOptions(CommandOptions):
    """What ``socketlab connect`` takes."""

    synopsis = "Usage: socketlab connect ENDPOINT [options]"
    longdesc = (
        "ENDPOINT is a port on this machine, HOST:PORT, tcp:HOST:PORT, tls:HOST:PORT, "
        "udp:HOST:PORT or unix:/path. What you type is sent line by line; Ctrl-D sends FIN."
    )
    optFlags = [  # noqa: RUF012
        ["hex", None, "show and type bytes as hex"],
        ["crlf", None, "end each line with CR LF"],
        ["tls", None, "speak TLS; the same as tls:HOST:PORT"],
        ["insecure", None, "take any certificate"],
        ["stay", None, "at a terminal too, the peer's FIN ends nothing: go on sending"],
        ["quiet", None, "show no events"],
    ]
    optParameters = [  # noqa: RUF012
        ["cafile", None, None, "trust the certificates in this PEM file, not the system's"],
        ["sni", None, None, "the name to ask for and to verify, if not the host's"],
        ["source", None, None, "our own address, as ADDRESS or ADDRESS:PORT"],
        ["record", None, None, "write every event to this file as JSON lines"],
        ["json", None, None, "the same as --record"],
        ["pcapng", None, None, "write packets drawn from the events to this file"],
    ]
    target: Target
    source: tuple[str, int] | None = None

    def parseArgs(self, *words: str) -> None:
        """One endpoint."""
        if len(words) != 1:
            said = f"one endpoint, not {len(words)}" if words else "the endpoint to connect to"
            raise usage.UsageError(f"expected {said}")
        try:
            self.target = parse_target(words[0])
        except SocketlabError as error:
            raise usage.UsageError(str(error)) from None

    def postOptions(self) -> None:
        """What does not go together is said now."""
        self._settle_tls()
        if self["hex"] and self["crlf"]:
            raise usage.UsageError("--crlf: with --hex the bytes you type are all that is sent")
        if self["json"] is not None:
            if self["record"] is not None:
                raise usage.UsageError(f"--json '{escape(self['json'])}': --record is the same")
            self["record"] = self["json"]
        if self["source"] is not None:
            self.source = _source(self["source"], self.target.kind)

    def _settle_tls(self) -> None:
        if self["tls"] and self.target.kind == "tcp":
            self.target = replace(self.target, kind="tls")
        kind = self.target.kind
        if self["tls"] and kind != "tls":
            raise usage.UsageError(f"--tls: there is no TLS over {kind} here")
        for name in ("insecure", "cafile", "sni"):
            if self[name] and kind != "tls":
                raise usage.UsageError(f"--{name} is for TLS: say --tls or tls:HOST:PORT")
        if self["insecure"] and self["cafile"]:
            raise usage.UsageError("--cafile: with --insecure nothing is verified")


def _source(text: str, kind: str) -> tuple[str, int]:
    if kind == "unix":
        raise usage.UsageError(f"--source '{escape(text)}': a UNIX socket has none")
    address, port = text, "0"
    if text.count(":") == 1 or (text.startswith("[") and not text.endswith("]")):
        address, _, port = text.rpartition(":")
    address = address.strip("[]")
    number = number_of(port)
    try:
        host(address)
    except ValueError:
        number = None
    if number is None or not 0 <= number <= 65535:
        raise usage.UsageError(f"--source '{escape(text)}': expected ADDRESS or ADDRESS:PORT")
    return address, number
