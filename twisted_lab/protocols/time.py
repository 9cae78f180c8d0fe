"""Time (RFC 868): the seconds since 1900 as 32 bits."""

from __future__ import annotations

from datetime import UTC, datetime

#: RFC 868: "the number of seconds since 00:00 (midnight) 1 January 1900 GMT".
EPOCH = datetime(1900, 1, 1, tzinfo=UTC)


def time(now: datetime) -> bytes:
    """Four bytes, most significant first. RFC 868's count ends in 2036; ours begins again at 0."""
    seconds = int((now - EPOCH).total_seconds())
    return (seconds % 2**32).to_bytes(4, "big")
