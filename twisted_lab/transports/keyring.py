"""The certificates of a service: each file read once, and a context for each TLS listener.

Rule: everything is read when the service is made, so a bad file fails before anything starts.
"""

from __future__ import annotations

from dataclasses import dataclass

from OpenSSL import SSL

from twisted_lab.transports.certificates import (
    Credentials,
    fingerprint,
    load_credentials,
    make_certificate,
    server_context,
)
from twisted_lab.transports.endpoints import TlsListen
from twisted_lab.transports.pem_folder import Names, load_folder


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate as its clients will see it: the SHA-256, as OpenSSL prints it, and for which
    names it is shown; without *names* it is shown to everybody."""

    fingerprint: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Secrets:
    context: SSL.Context
    shown: tuple[Shown, ...]


class Keyring:
    """The certificates of one service, the one made on the spot included.

    *client_ca* is a PEM file; with it a client certificate is required.
    """

    def __init__(self, client_ca: str | None = None) -> None:
        self._client_ca = client_ca
        self._secrets: dict[tuple[str | None, ...], _Secrets] = {}

    def context(self, listen: TlsListen) -> SSL.Context:
        """The TLS settings for *listen*; raises :class:`ConfigurationError` naming a bad file."""
        return self._get(listen).context

    def shown(self, listen: TlsListen) -> tuple[Shown, ...]:
        """The certificates for *listen*; the first is for whoever asks for none of the names."""
        return self._get(listen).shown

    def _get(self, listen: TlsListen) -> _Secrets:
        key = listen.folder, listen.private_key, listen.certificate, listen.chain
        if key not in self._secrets:
            self._secrets[key] = self._folder(listen) if listen.folder else self._one(listen)
        return self._secrets[key]

    def _one(self, listen: TlsListen) -> _Secrets:
        credentials = _credentials(listen)
        context = server_context(credentials, self._client_ca)
        return _Secrets(context, (Shown(fingerprint(credentials)),))

    def _folder(self, listen: TlsListen) -> _Secrets:
        assert listen.folder is not None
        served = load_folder(listen.folder)
        contexts = [server_context(one.credentials, self._client_ca) for one in served]
        names = Names(served)

        def choose(connection: SSL.Connection) -> None:
            # Called by OpenSSL in the handshake; nothing here raises, whatever the client says.
            connection.set_context(contexts[names.find(connection.get_servername())])

        contexts[0].set_tlsext_servername_callback(choose)
        shown = (Shown(fingerprint(one.credentials), one.names) for one in served)
        return _Secrets(contexts[0], tuple(shown))


def _credentials(listen: TlsListen) -> Credentials:
    if listen.private_key is None:
        return make_certificate()
    certificate = listen.certificate or listen.private_key
    return load_credentials(listen.private_key, certificate, listen.chain)
