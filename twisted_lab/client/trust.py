"""Whose certificates a client believes: the system's, a file's, or anybody's when asked to.

Rule: a certificate is believed when its chain leads to an authority we trust, nothing in the chain
is out of date, and it names whom we asked for (RFC 9525); else why not is said in words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import service_identity
from OpenSSL import SSL, crypto
from service_identity.hazmat import DNS_ID, IPAddress_ID, ServiceID, verify_service_identity
from service_identity.pyopenssl import extract_patterns
from twisted.internet.ssl import (
    Certificate,
    CertificateOptions,
    platformTrust,
    trustRootFromCertificates,
)

from twisted_lab.addresses import host
from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape

_BEGIN = b"-----BEGIN CERTIFICATE-----"

#: OpenSSL's X509_V_ERR_… that a person meets (x509_vfy.h), in words.
_WORDS = {
    9: "the certificate is not valid yet",
    10: "the certificate has expired",
    18: "the certificate is signed by itself, and not one we trust",
    19: "the chain ends in an authority we do not trust",
    20: "the certificate is of an authority we do not trust",
    21: "the certificate is of an authority we do not trust",
    23: "the certificate was revoked",
    24: "the chain has a certificate that is no authority's",
    26: "the certificate is not one for servers",
}


class Trust:
    """Makes OpenSSL's side of a connection to *name*, which is asked for unless it is an address.

    *roots* is Twisted's IOpenSSLTrustRoot; None takes any certificate. Raises
    :class:`ConfigurationError` when *name* can be nobody's.
    """

    def __init__(self, name: str, roots: Any) -> None:
        self._name = name
        self._verifies = roots is not None
        self._is_address = is_address(name)
        try:
            self._wanted: ServiceID = (IPAddress_ID if self._is_address else DNS_ID)(_ascii(name))
        except ValueError as error:  # UnicodeError is one
            raise ConfigurationError(f"'{escape(name)}' is no host's name: {error}") from None
        self._context = CertificateOptions(trustRoot=roots).getContext()

    def connection(self, failed: Callable[[str], object]) -> SSL.Connection:
        """Ready for the handshake; *failed* is told why a certificate is not believed."""
        connection = SSL.Connection(self._context, None)
        connection.set_connect_state()
        if not self._is_address:
            connection.set_tlsext_host_name(_ascii(self._name).encode("ascii"))
        if self._verifies:
            connection.set_verify(SSL.VERIFY_PEER, self._checking(failed))
        else:
            connection.set_verify(SSL.VERIFY_NONE, lambda *_: True)
        return connection

    def _checking(self, failed: Callable[[str], object]) -> Callable[..., bool]:
        def check(_: object, certificate: Any, error: int, depth: int, chain_holds: int) -> bool:
            # What is raised here nobody hears of, so nothing is.
            wrong: str | None
            if not chain_holds:
                wrong = _WORDS.get(error, f"OpenSSL's verify error {error}")
            else:
                wrong = None if depth else self._not_whom_we_want(certificate)
            if wrong is not None:
                failed(wrong)
            return wrong is None

        return check

    def _not_whom_we_want(self, certificate: crypto.X509) -> str | None:
        wrong = f"the certificate is not for {escape(self._name)}"
        try:
            verify_service_identity(extract_patterns(certificate), [self._wanted], [])
        except service_identity.VerificationError:
            return wrong
        except Exception as error:  # a certificate that cannot be read is not believed
            return f"{wrong}: {escape(str(error))}"
        return None


def verifying(name: str, cafile: str | None) -> Trust:
    """Verifies that the other end is *name*, by the system's authorities or those in *cafile*.

    Raises :class:`ConfigurationError` that names the file, or a name that can be nobody's.
    """
    roots = platformTrust() if cafile is None else trustRootFromCertificates(_certificates(cafile))
    return Trust(name, roots)


def is_address(name: str) -> bool:
    """Whether *name* is an IP address, which no name has to be asked for."""
    try:
        host(name)
    except ValueError:
        return False
    return True


def _ascii(name: str) -> str:
    """*name* as DNS has it. Python's IDNA is that of 2003, as Twisted's own."""
    plain = name.partition("%")[0] if ":" in name else name
    return plain.encode("idna").decode("ascii")


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
