"""The cases, by what they try; each module adds its own to the catalogue when it is imported."""

from twisted_lab.conformance.case import CATALOGUE, Case
from twisted_lab.conformance.cases import (
    closing,
    crowd,
    datagrams,
    garbage,
    half_close,
    lines,
    processes,
    segments,
    small,
    tls,
)

__all__ = [
    "catalogue",
    "closing",
    "crowd",
    "datagrams",
    "garbage",
    "half_close",
    "lines",
    "processes",
    "segments",
    "small",
    "tls",
]


def catalogue() -> list[Case]:
    """Every case, by its id."""
    return sorted(CATALOGUE.values(), key=lambda case: case.id)
