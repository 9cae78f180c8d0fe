"""A folder of PEM files, one a host: which certificate a client is shown that names its host.

Each ``*.pem`` holds a private key, its certificate and what leads from that to a root. It is for
the host its file is called after (``example.org.pem``, as in txsni) and for the DNS names in its
certificate (as in Twisted's ``tls:``); a file's name counts more. ``*.example.org`` stands for one
more label, in either place. Unlike Twisted's, the folder is read once and its subfolders are not.

Who names no host, or an unknown one, is shown ``DEFAULT.pem``, else the first by file name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape
from twisted_lab.transports.certificates import Credentials, load_credentials

_DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Served:
    """The *credentials* of one file, the *host* it is called after, None for the default one, and
    the *dns_names* in its certificate; all names in lower case."""

    credentials: Credentials
    host: str | None
    dns_names: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Every name it is for."""
        first = () if self.host is None else (self.host,)
        return tuple(dict.fromkeys(first + self.dns_names))


def load_folder(path: str) -> tuple[Served, ...]:
    """Every ``*.pem`` in the folder *path*, the default one first, then by file name.

    :raises ConfigurationError: its sentence names the folder or the file that cannot be used.
    """
    try:
        files = [one for one in Path(path).iterdir() if one.suffix == ".pem"]
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no folder can have this name"
        raise ConfigurationError(f"the folder '{escape(path)}' cannot be read: {why}") from None
    if not files:
        raise ConfigurationError(f"the folder '{escape(path)}' has no file called HOST.pem")
    files.sort(key=lambda one: (one.stem.lower() != _DEFAULT, one.name))
    return tuple(map(_load, files))


def _load(file: Path) -> Served:
    credentials = load_credentials(str(file), str(file))
    stem = file.stem.lower()
    host = None if stem == _DEFAULT else stem
    return Served(credentials, host, _dns_names(credentials, file))


def _dns_names(credentials: Credentials, file: Path) -> tuple[str, ...]:
    kind = x509.SubjectAlternativeName
    try:
        found = credentials.certificate.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return ()
    except ValueError:
        raise ConfigurationError(
            f"the certificate file '{escape(str(file))}' cannot be used: its names cannot be read"
        ) from None
    return tuple(name.lower() for name in found.value.get_values_for_type(x509.DNSName))


class Names:
    """Which of *served* a client gets.

    A name that two of them claim goes to the one whose file is called so, else to the first.
    """

    def __init__(self, served: Sequence[Served]) -> None:
        self._index: dict[str, int] = {}
        for index, one in enumerate(served):
            if one.host is not None:
                self._index[one.host] = index
        for index, one in enumerate(served):
            for name in one.dns_names:
                self._index.setdefault(name, index)

    def find(self, asked: bytes | None) -> int:
        """The index for the host *asked*, as SNI has it (RFC 6066, 3): 0 if there is none."""
        name = (asked or b"").decode("latin-1").lower()
        wildcard = "*." + name.partition(".")[2]
        return self._index.get(name, self._index.get(wildcard, 0))
