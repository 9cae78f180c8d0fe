"""Certificates, made on the spot or loaded from PEM files, and the server's TLS context.

Rule 1: a file that cannot be used is a ConfigurationError that names it, before anything listens.
Rule 2: a context keeps nothing of a connection that is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from OpenSSL import SSL, crypto
from twisted.internet.ssl import CertificateOptions

from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape

#: How long a certificate made on the spot is good: longer than a bench runs, and short enough that
#: a copy forgotten in some trust store soon means nothing.
LIFETIME = timedelta(days=60)

#: How far a client's clock may be behind ours.
CLOCK_SKEW = timedelta(hours=1)

PrivateKey = (
    rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a TLS server shows and proves; *chain* is what leads from *certificate* to a root."""

    private_key: PrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()


def make_certificate(
    names: Sequence[str] = ("localhost",),
    ips: Sequence[str] = ("127.0.0.1", "::1"),
    now: datetime | None = None,
) -> Credentials:
    """A new P-256 key and a certificate for DNS *names* and numeric *ips*, good from *now* on.

    It is self-signed and no CA: who trusts it trusts this server and nothing else.

    :raises ValueError: for a name that is not ASCII, or an address that is not numeric.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    made = datetime.now(UTC) if now is None else now
    subject = [*map(x509.DNSName, names), *(x509.IPAddress(ip_address(ip)) for ip in ips)]
    myself = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "socketlab, made on the spot")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(myself)
        .issuer_name(myself)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(made - CLOCK_SKEW)
        .not_valid_after(made + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(subject), critical=False)
    )
    return Credentials(key, builder.sign(key, SHA256()))


def load_credentials(
    private_key_path: str, certificate_path: str, chain_path: str | None = None
) -> Credentials:
    """The key and the certificates of two PEM files, which may be the same file.

    The first certificate is the server's; the others, then those of *chain_path*, are its chain.

    :raises ConfigurationError: its sentence names the file that cannot be used, and why.
    """
    key = _load_key(private_key_path)
    certificate, *chain = _load_certificates(certificate_path, "certificate")
    if chain_path is not None:
        chain += _load_certificates(chain_path, "certificate chain")
    credentials = Credentials(key, certificate, tuple(chain))
    if trouble := _trouble_with(credentials):
        pair = f"'{escape(private_key_path)}' and '{escape(certificate_path)}'"
        raise ConfigurationError(f"the key and certificate files {pair} cannot be used: {trouble}")
    return credentials


def _trouble_with(credentials: Credentials) -> str | None:
    """Why no server can use *credentials*; None when one can."""
    try:
        if credentials.certificate.public_key() != credentials.private_key.public_key():
            return "the key is not the certificate's"
        _context(credentials)
    except (ValueError, UnsupportedAlgorithm):
        return "the certificate holds a public key that cannot be read"
    except (SSL.Error, crypto.Error) as error:
        return _why(error)
    return None


def _load_key(path: str) -> PrivateKey:
    try:
        key = load_pem_private_key(_read(path, "private key"), password=None)
    except TypeError as error:
        raise _unusable(
            "private key", path, "it is encrypted, and nobody is asked for a password"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unusable("private key", path, "there is no private key in it, as PEM") from error
    if not isinstance(key, PrivateKey):
        raise _unusable("private key", path, "it is of a kind that TLS servers do not use")
    return key


def _load_certificates(path: str, what: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_read(path, what))
    except (ValueError, x509.InvalidVersion) as error:
        raise _unusable(what, path, "there is no certificate in it, as PEM") from error


def _read(path: str, what: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise _unusable(what, path, error.strerror or "it cannot be read") from error
    except ValueError as error:  # a NUL, or a lone surrogate
        raise _unusable(what, path, "no file can have this name") from error


def _unusable(what: str, path: str, why: str) -> ConfigurationError:
    return ConfigurationError(f"the {what} file '{escape(path)}' cannot be used: {why}")


def _why(error: SSL.Error | crypto.Error) -> str:
    """The last of the reasons that OpenSSL has for *error*, in its words."""
    reasons = error.args[0] if error.args else None
    return escape(reasons[-1][2]) if reasons else "OpenSSL does not say why"


def fingerprint(credentials: Credentials) -> str:
    """The SHA-256 of the certificate as ``openssl x509 -fingerprint -sha256`` writes it."""
    return credentials.certificate.fingerprint(SHA256()).hex(":").upper()


def server_context(credentials: Credentials, client_ca: str | None = None) -> SSL.Context:
    """A server's context: TLS 1.2 or later, no renegotiation, no sessions kept.

    With *client_ca*, a PEM file, a client must show a certificate that leads to one in the file;
    each of them counts as a root, also an intermediate or a client's own.

    :raises ConfigurationError: its sentence names the *client_ca* file and why it cannot be used.
    """
    context = _context(credentials)
    if client_ca is not None:
        roots = _load_certificates(client_ca, "client CA")
        try:
            _require_client_certificate(context, roots)
        except (SSL.Error, crypto.Error) as error:
            raise _unusable("client CA", client_ca, _why(error)) from error
    return context


def _context(credentials: Credentials) -> SSL.Context:
    """Twisted's choice of versions, ciphers and modes, with our certificate."""
    # The certificate is set here, for Twisted would pass pyOpenSSL its own deprecated types on.
    context = CertificateOptions(enableSessions=False, enableSessionTickets=False).getContext()
    # Twisted's own asks its own TLS protocol, which ours is not.
    context.set_alpn_select_callback(_choose_protocol)
    # A renegotiation is work for us at the peer's wish (CVE-2011-1473), and TLS 1.3 has none.
    context.set_options(SSL.OP_NO_RENEGOTIATION)
    context.use_certificate(credentials.certificate)
    for certificate in credentials.chain:
        context.add_extra_chain_cert(certificate)
    context.use_privatekey(credentials.private_key)
    context.check_privatekey()
    return context


def _choose_protocol(connection: SSL.Connection, offered: list[bytes]) -> Any:
    """Of what the connection's server speaks (its app data), the first that the client *offered*.

    Who speaks none of them goes on as if nothing had been offered; a server that knows no ALPN
    does.
    """
    speaks: tuple[bytes, ...] = connection.get_app_data() or ()
    both = [name for name in speaks if name in offered]
    return both[0] if both else SSL.NO_OVERLAPPING_PROTOCOLS


def _require_client_certificate(context: SSL.Context, roots: Sequence[x509.Certificate]) -> None:
    store = context.get_cert_store()
    assert store is not None  # every context has one
    store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
    for root in roots:
        store.add_cert(crypto.X509.from_cryptography(root))
        # The client is told whom we trust, so one with several certificates can choose.
        context.add_client_ca(root)
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT)
