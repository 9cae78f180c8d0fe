"""TLS on a stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from twisted_lab.study.drawing import Picture, alone, both
from twisted_lab.study.experiment import Observation, Task
from twisted_lab.study.seen import Ended, Seen
from twisted_lab.transports.certificates import make_certificate

AIM = (
    "To see what TLS adds to a stream: a handshake before the first byte, records on the wire that"
    " nobody else can read, and an end of its own."
)
ASKED = (
    "What does somebody in the middle see of the messages?",
    "Who proves what to whom in the handshake?",
    "What does the client do with a certificate that it has no reason to trust?",
)


def server():
    """Answers in capitals, over TLS."""
    import socket
    import ssl
    import sys

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain("certificate.pem", "key.pem")  # who we are, and its proof
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    print("listening on port", listener.getsockname()[1])
    for _ in range(2):
        conn, peer = listener.accept()  # a plain stream so far
        try:
            with context.wrap_socket(conn, server_side=True) as secure:  # the handshake
                secure.sendall(secure.recv(100).upper())
                secure.unwrap()  # close_notify: the end of the stream, and the client's
        except ssl.SSLError as error:
            print("no handshake:", error.reason)
    listener.close()


def middle():
    """Stands between both, passes everything on, and looks for a word in it."""
    import contextlib
    import socket
    import sys
    import threading

    listener = socket.create_server(("127.0.0.1", 0))
    print("listening on port", listener.getsockname()[1])

    def pass_on(source, target, direction):
        seen = b""
        with contextlib.suppress(OSError):  # one that has ended may be gone altogether
            while data := source.recv(65536):
                seen += data
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        word = "is" if b"secret" in seen.lower() else "is not"
        said.append(f"{direction} {len(seen)} bytes; the word {word} there")

    said = []
    client, peer = listener.accept()
    server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    back = threading.Thread(target=pass_on, args=(server, client, "to the client:"))
    back.start()
    pass_on(client, server, "to the server:")
    back.join()
    print(*said, sep="\n")
    for sock in (client, server, listener):
        sock.close()


def client():
    """Says its word to a server that it trusts; then asks one that it has no reason to trust."""
    import socket
    import ssl
    import sys

    trusting = ssl.create_default_context(cafile="certificate.pem")
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as sock:
        with trusting.wrap_socket(sock, server_hostname="localhost") as secure:
            print(secure.version(), secure.cipher()[0])
            secure.sendall(b"my secret")
            print(secure.recv(100).decode())
            if secure.recv(100) == b"":  # close_notify came
                secure.unwrap()  # and ours goes

    careful = ssl.create_default_context()  # the roots of this machine: ours is not among them
    with socket.create_connection(("127.0.0.1", int(sys.argv[2]))) as sock:
        try:
            careful.wrap_socket(sock, server_hostname="localhost")
        except ssl.SSLCertVerificationError as error:
            print("not trusted:", error.verify_message)


def in_twisted():
    """The same: the endpoint has TLS; the protocol does not know of it."""
    import sys

    from twisted.internet import protocol, reactor, ssl

    class Capitals(protocol.Protocol):
        def dataReceived(self, data):  # out of the records, as the client meant it
            self.transport.write(data.upper())
            self.transport.loseConnection()

    context = ssl.DefaultOpenSSLContextFactory("key.pem", "certificate.pem")
    port = reactor.listenSSL(
        int(sys.argv[1]), protocol.Factory.forProtocol(Capitals), context, interface="127.0.0.1"
    )
    print("listening on port", port.getHost().port)
    reactor.run()


PROGRAMS = (server, middle, client)
TWISTED = {"server": in_twisted}


def FILES() -> Mapping[str, bytes]:
    """A certificate for localhost, and its key."""
    made = make_certificate()
    key = made.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {"certificate.pem": made.certificate.public_bytes(Encoding.PEM), "key.pem": key}


def play(stage):
    """The first connection goes through the middle, the second goes to the server itself."""
    server = stage.start("server", 0)
    port = server.number()
    middle = stage.start("middle", port)
    client = stage.start("client", middle.number(), port)
    client.finish()
    middle.finish()
    server.finish()


def observe(seen: Seen) -> Iterator[Observation]:
    """What was said, and what was on the wire."""
    client, server, middle = seen.client, seen.server, seen["middle"]
    first = client.of(client.connections()[0])
    shaken = [one for one in first.events if one.event == "tls"]
    yield Observation(
        len(shaken) == 1,
        f"the handshake: {shaken[0].version} with {shaken[0].cipher}, in"  # type: ignore[attr-defined]
        f" {shaken[0].call.duration * 1000:.1f} ms"  # type: ignore[union-attr]
        if shaken
        else "there was no handshake",
    )
    said, got = first.data("sendall"), server.of(server.connections()[0]).data("recv", "read")
    yield Observation(
        said[0] in got,
        f"the client sent {said[0].decode()!r}, and the server's recv() returned"
        f" {got[0].decode(errors='replace')!r}",
    )
    there, back = (_on_wire(middle, direction) for direction in ("server", "client"))
    clear = len(said[0])
    yield Observation(
        "is not" in there and "is not" in back,
        f"in the middle: {there.lower()}; {back}. The two messages have {2 * clear} bytes",
    )
    failed = client.of(client.connections()[1]).errors_of("do_handshake")
    last = client.output[-1]
    yield Observation(
        "not trusted" in last,
        f"the client that does not know the certificate: {last}"
        + (f" ({failed[0]})" if failed else ""),
    )
    heard = [line for line in server.output if line.startswith("no handshake")]
    yield Observation(
        len(heard) == 1,
        f"and the server of it: {heard[0].partition(': ')[2]}"
        if heard
        else "the server heard nothing",
    )


def _on_wire(middle: Ended, direction: str) -> str:
    return [line for line in middle.output if line.startswith(f"to the {direction}")][0]


def compare(plain: Seen, twisted: Seen) -> Iterator[Observation]:
    """What the client got from Twisted's server."""
    before, after = plain.client.output[1:], twisted.client.output[1:]
    yield Observation(
        before == after, f"with Twisted's server the client printed: {'; '.join(after)}"
    )
    wire = [_on_wire(twisted["middle"], one) for one in ("server", "client")]
    yield Observation(
        all("is not" in one for one in wire),
        f"in the middle, with Twisted's server: {'; '.join(wire)}",
    )


def pictures(seen: Seen) -> Iterator[Picture]:
    """What the programs say to each other, and what is on the wire."""
    yield both(seen.client.nth(0), seen.server.nth(0), "What both programs say and hear")
    middle = seen["middle"].nth(0)
    yield alone(middle, "client.py", "The same conversation in the middle: records")


RESULT = (
    "TLS shakes hands first: the server shows a certificate and proves that it has its key, and the"
    " client decides whether it trusts it. Then every message goes in records that only both ends"
    " can read, a little longer than the message. close_notify is the end of the stream."
)
TRY = (
    Task(
        "Let the client use server_hostname='example.org'.",
        "What does it refuse now, and with which words?",
    ),
    Task(
        "Send the word one letter at a time.",
        "How many bytes are on the wire for each letter? What can the middle count?",
    ),
    Task(
        "Try openssl s_client -connect 127.0.0.1:PORT.",
        "Which of its lines say what the report's first observation says?",
    ),
)
