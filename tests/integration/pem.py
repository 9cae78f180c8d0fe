"""A certificate and its key as files, for servers that want files."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from twisted_lab.transports.certificates import make_certificate


def write_pem(folder: Path) -> dict[str, str]:
    """The names of two files in *folder*: ``cert`` and ``key``."""
    made = make_certificate()
    cert, key = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.certificate.public_bytes(Encoding.PEM))
    plain = Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    key.write_bytes(made.private_key.private_bytes(*plain))
    return {"cert": str(cert), "key": str(key)}
