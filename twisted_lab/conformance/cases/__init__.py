"""The cases, by what they try; each module adds its own to the catalogue."""

from twisted_lab.conformance.cases import half_close, segments

__all__ = ["half_close", "segments"]
