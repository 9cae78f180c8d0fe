"""The cases, by what they try; each module adds its own to the catalogue when it is imported."""

from twisted_lab.conformance.cases import (
    closing,
    crowd,
    datagrams,
    half_close,
    lines,
    segments,
    small,
    tls,
)

__all__ = ["closing", "crowd", "datagrams", "half_close", "lines", "segments", "small", "tls"]
