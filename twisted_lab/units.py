"""Sizes, times, rates and networks as people write them.

Every function raises :class:`ValueError` whose text says what would be right; the caller names
the option and the value.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network

_NUMBER = r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_QUANTITY = re.compile(_NUMBER + r"\s*([A-Za-zµ]*)", re.ASCII)

#: IEC 80000-13 prefixes are powers of 1024, SI prefixes powers of 1000.
SIZES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}
SIZES |= {"kib": 2**10, "mib": 2**20, "gib": 2**30}

TIMES = {"": 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "min": 60.0, "m": 60.0, "h": 3600.0}

#: The longest time taken, in seconds (a year): more is a slip, and timers must not overflow.
LONGEST = 366 * 86400.0


def _quantity(text: str, units: dict[str, float], example: str) -> float:
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"expected {example}")
    factor = units.get(match[2].lower())
    if factor is None:
        known = ", ".join(unit for unit in units if unit)
        raise ValueError(f"unknown unit {match[2]!r}; known are {known}")
    return float(match[1]) * factor


def size(text: str) -> int:
    """Bytes: ``65536``, ``64KiB``, ``1.5MB``."""
    value = _quantity(text, dict(SIZES), "a size such as 16384 or 64KiB")
    if value > 2**53 or value != int(value):
        raise ValueError("expected a whole number of bytes below 8 PiB")
    return int(value)


def seconds(text: str) -> float:
    """Seconds: ``5``, ``200ms``, ``10min``; more than none, at most a year."""
    value = _quantity(text, TIMES, "a time such as 5s, 200ms or 10min")
    if not 0 < value <= LONGEST:
        raise ValueError("expected a time longer than 0 and at most a year")
    return value


def seconds_or_none(text: str) -> float:
    """Seconds, where 0 is none at all."""
    none = _quantity(text, TIMES, "a time such as 5s, 200ms or 10min, or 0") == 0
    return 0.0 if none else seconds(text)


def count_of_bytes(text: str) -> int:
    """Bytes, from 1 to 16 MiB: the size of something that is kept in memory."""
    value = size(text)
    if not 1 <= value <= 2**24:
        raise ValueError("expected a size from 1 to 16MiB")
    return value


def _per_second(text: str) -> str:
    return text.strip().removesuffix("/s")


def byte_rate(text: str) -> float:
    """Bytes per second: ``100kB/s``, ``64KiB/s``, ``1000``."""
    try:
        value = float(size(_per_second(text)))
    except ValueError as error:
        raise ValueError(str(error).replace("64KiB", "64KiB/s")) from None
    if value <= 0:
        raise ValueError("expected a rate above 0")
    return value


def rate(text: str) -> float:
    """Events per second: ``50/s``, ``0.5/s``, ``50``."""
    value = _quantity(_per_second(text), {"": 1.0}, "a rate such as 50/s")
    if not 0 < value <= 1e9:
        raise ValueError("expected a rate above 0, such as 50/s")
    return value


def count(text: str) -> int:
    """A whole number, at least 1."""
    text = text.strip()  # which takes away more than int() would
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 1:
        raise ValueError("expected a whole number from 1 to 999999999")
    return int(text)


def port(text: str) -> int:
    """A port number; 0 takes a free one."""
    text = text.strip()
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise ValueError("expected a port number from 0 to 65535")
    return int(text)


def network(text: str) -> IPv4Network | IPv6Network:
    """A network in CIDR notation, or one address: ``10.0.0.0/8``, ``::1``."""
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        raise ValueError("expected a network such as 10.0.0.0/8 or ::1") from None
