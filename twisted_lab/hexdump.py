"""Bytes as people read them off a wire: hex and ASCII, side by side."""

from __future__ import annotations

_A_LINE = 16


def dump(data: bytes, start: int = 0) -> str:
    """*data* as hex and ASCII, 16 bytes a line; its first byte is number *start*."""
    lines = []
    for at in range(0, len(data), _A_LINE):
        part = data[at : at + _A_LINE]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{start + at:04x}  {part.hex(' '):<{3 * _A_LINE}} {letters}")
    return "\n".join(lines)
