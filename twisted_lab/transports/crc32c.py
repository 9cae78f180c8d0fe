"""CRC32c, Castagnoli's: the checksum a PROXY header may carry (RFC 4960, appendix B)."""

from __future__ import annotations

from functools import cache

#: The polynomial 0x1EDC6F41 with its bits reversed, for bytes come lowest bit first.
_POLYNOMIAL = 0x82F63B78


@cache
def _table() -> tuple[int, ...]:
    values = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        values.append(value)
    return tuple(values)


def crc32c(data: bytes) -> int:
    """The CRC32c of *data*; of ``b"123456789"`` it is 0xE3069283."""
    table = _table()
    value = 0xFFFFFFFF
    for byte in data:
        value = table[(value ^ byte) & 0xFF] ^ value >> 8
    return value ^ 0xFFFFFFFF
