"""Echo and LineReceiver as Twisted's documentation has them, on four roads, for comparison.

``python scripts/textbook.py SERVICE`` says where it listens as ``twistd socketlab`` does. The UNIX
socket is ``socket`` in the current folder.
"""

from __future__ import annotations

import sys

import trustme
from twisted.internet import protocol, reactor, ssl
from twisted.protocols import basic


class Echo(protocol.Protocol):
    """simpleserv.py of Twisted's core examples, verbatim."""

    def dataReceived(self, data):
        """As soon as any data is received, write it back."""
        self.transport.write(data)


class LineEcho(basic.LineReceiver):
    """The LineReceiver of the howto "Writing Servers", answering with the line."""

    def lineReceived(self, line):
        """A line in, the same line out."""
        self.sendLine(line)


def main(service):
    """Serve until killed."""
    factory = protocol.ServerFactory()
    factory.protocol = {"echo": Echo, "line": LineEcho}[service]
    pem = trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.bytes()
    # echoserv_ssl.py
    certificate = ssl.PrivateCertificate.loadPEM(pem)
    tcp4 = reactor.listenTCP(0, factory, interface="127.0.0.1").getHost().port
    tcp6 = reactor.listenTCP(0, factory, interface="::1").getHost().port
    tls = reactor.listenSSL(0, factory, certificate.options(), interface="127.0.0.1").getHost().port
    reactor.listenUNIX("socket", factory)
    print(f"  {service} tcp 127.0.0.1:{tcp4}  [::1]:{tcp6}  try: nc")
    print(f"  {service} tls 127.0.0.1:{tls}  try: openssl")
    print("Stop with Ctrl-C.", flush=True)
    reactor.run()


if __name__ == "__main__":
    main(sys.argv[1])
