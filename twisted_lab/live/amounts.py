"""Numbers as text: sizes, rates, times, in as few letters as a table has room for."""

from __future__ import annotations

_SIZES = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def size(count: float) -> str:
    """Bytes, exact while they are few: ``512 B``, ``9,999 B``, ``9.8 KiB``, ``1.2 MiB``."""
    if count < 10_000:
        return f"{count:,.0f} B"
    value, unit = count / 1024, 0
    while value >= 999.5 and unit < len(_SIZES) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.{1 if value < 99.95 else 0}f} {_SIZES[unit]}"


def rate(per_second: float) -> str:
    """Bytes a second: ``3.4 KiB/s``; nothing when nothing moves."""
    return f"{size(per_second)}/s" if per_second >= 0.5 else ""


def duration(seconds: float) -> str:
    """``350 µs``, ``12 ms``, ``5.2 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds < 0.000_9995:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 0.9995:
        return f"{seconds * 1e3:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60:,} h {minutes % 60} min"


def moment(ns: int, digits: int = 6) -> str:
    """Seconds since the bench started, to the microsecond: ``12.345678``."""
    return f"{ns / 1e9:.{digits}f}"
