"""Diagnoses: mistakes of a watched program, each by its name, from what its events prove.

One file a mistake, with its :class:`Mistake` and ``find(evidence)``. Rule: precision before recall:
a program that is right is accused of nothing, so a diagnosis rests on what was seen, never on what
is usual.
"""

from __future__ import annotations

from twisted_lab.diagnosis import (
    address_in_use,
    bound_elsewhere,
    byte_order,
    closed_unread,
    datagram_cut,
    deadlock,
    deaf_to_fin,
    leaked,
    lost_by_reset,
    no_newline,
    not_connected,
    part_for_all,
    send_ignored,
    starved,
    two_for_one,
)
from twisted_lab.diagnosis.evidence import Evidence
from twisted_lab.diagnosis.finding import Finding, Mistake

#: Every diagnosis, in the order in which they are told.
ALL = (
    part_for_all,
    two_for_one,
    send_ignored,
    closed_unread,
    deaf_to_fin,
    lost_by_reset,
    no_newline,
    deadlock,
    starved,
    address_in_use,
    bound_elsewhere,
    not_connected,
    leaked,
    datagram_cut,
    byte_order,
)

#: Their mistakes, by name.
MISTAKES: dict[str, Mistake] = {one.MISTAKE.name: one.MISTAKE for one in ALL}


def diagnose(evidence: Evidence) -> list[Finding]:
    """The mistakes that *evidence* proves."""
    evidence.pair()
    return [finding for one in ALL for finding in one.find(evidence)]


__all__ = ["MISTAKES", "Evidence", "Finding", "Mistake", "diagnose"]
