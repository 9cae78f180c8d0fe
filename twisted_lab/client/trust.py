"""Whose certificates a client believes: the system's, a file's, or anybody's when asked to."""

from __future__ import annotations

from typing import Any

from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates
from zope.interface import implementer

from twisted_lab.addresses import host
from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape

_BEGIN = b"-----BEGIN CERTIFICATE-----"


def verifying(name: str, cafile: str | None) -> Any:
    """Verifies that the other end is *name*, by the system's authorities or those in *cafile*.

    Raises :class:`ConfigurationError` that names the file, or a name that can be nobody's.
    """
    root = None if cafile is None else trustRootFromCertificates(_certificates(cafile))
    try:
        return optionsForClientTLS(name, root)
    except (UnicodeError, ValueError) as error:
        raise ConfigurationError(f"'{escape(name)}' is no host's name: {error}") from None


def _certificates(path: str) -> list[Certificate]:
    try:
        with open(path, "rb") as file:
            text = file.read(2**20)
    except OSError as error:
        raise ConfigurationError(f"cannot read '{escape(path)}': {error.strerror}") from None
    pieces = [_BEGIN + piece for piece in text.split(_BEGIN)[1:]]
    if not pieces:
        raise ConfigurationError(f"'{escape(path)}' has no certificate in it")
    try:
        return [Certificate.loadPEM(piece) for piece in pieces]
    except (crypto.Error, ValueError):
        raise ConfigurationError(f"'{escape(path)}' has a certificate that is none") from None


@implementer(IOpenSSLClientConnectionCreator)
class Unverified:
    """Takes any certificate; *name* is asked for (SNI), unless it is an address."""

    def __init__(self, name: str) -> None:
        self._name = name

    def clientConnectionForTLS(self, tlsProtocol: object) -> SSL.Connection:
        """OpenSSL's side of a connection."""
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_verify(SSL.VERIFY_NONE, lambda *_: True)
        connection = SSL.Connection(context, None)
        if not _is_address(self._name):
            connection.set_tlsext_host_name(self._name.encode("idna"))
        return connection


def _is_address(name: str) -> bool:
    try:
        host(name)
    except ValueError:
        return False
    return True
