"""Small wrong servers, one bug each, and the case that names it.

``python tests/mutants/NAME.py PORT``; those that speak TLS want the files of a certificate and its
key as well. The first line of each says what is wrong in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_TLS = {"insecure": True, "arguments": "{cert} {key}"}
_SLOW_TLS = _TLS | {"handshake_timeout": 1.5}


@dataclass(frozen=True, slots=True)
class Mutant:
    """*name*.py, checked as *profile*, is killed by *case*, which calls it *bug*."""

    name: str
    profile: str
    case: str
    bug: str
    options: dict[str, Any] = field(default_factory=dict)


def _udp(name: str, case: str, bug: str, profile: str = "echo") -> Mutant:
    return Mutant(name, profile, case, bug, {"endpoint": "udp:127.0.0.1:{port}"})


MUTANTS = (
    Mutant("one_recv", "echo", "S03", "reads-once"),
    Mutant("one_recv", "echo", "S04", "reads-once"),
    Mutant("closes_after_reply", "echo", "S06", "closes-early"),
    Mutant("send_ignored", "echo", "S07", "sends-once"),
    Mutant("send_ignored", "echo", "S08", "sends-once"),
    Mutant("gathers_all", "echo", "N05", "no-back-pressure"),
    Mutant("loses_replies", "echo", "H01", "replies-lost"),
    Mutant("fin_drops_queue", "echo", "H02", "replies-lost"),
    Mutant("fin_drops_queue", "echo", "H05", "replies-lost"),
    Mutant("resets_at_the_end", "echo", "H01", "replies-lost"),
    Mutant("one_at_a_time", "echo", "N01", "one-at-a-time"),
    Mutant("small_backlog", "echo", "N03", "small-backlog"),
    Mutant("dies_on_reset", "echo", "C01", "dies"),
    Mutant("dies_on_reset", "echo", "C02", "dies"),
    Mutant("dies_on_sigpipe", "echo", "C03", "dies"),
    Mutant("ignores_fin", "echo", "H03", "never-closes"),
    Mutant("ignores_fin", "echo", "H04", "never-closes"),
    Mutant("waits_for_all", "echo", "H06", "never-closes"),
    Mutant("blocks_for_one", "echo", "N11", "others-cut-off"),
    Mutant("greets", "echo", "N09", "flood"),
    Mutant("ends_at_nul", "echo", "S02", "wrong-reply"),
    Mutant("seven_bits", "echo", "S02", "wrong-reply"),
    Mutant("text_mode", "echo", "S02", "wrong-reply"),
    Mutant("drops_the_last", "echo", "S01", "wrong-reply"),
    Mutant("a_byte_more", "echo", "S01", "wrong-reply"),
    Mutant("urgent_is_the_end", "echo", "S09", "closes-early"),
    Mutant("hundred_clients", "echo", "N02", "others-cut-off"),
    Mutant("leaks", "echo", "P01", "leaks"),
    Mutant("cannot_restart", "echo", "P02", "cannot-restart"),
    Mutant("no_time_out", "echo", "N06", "no-time-out", {"idle_timeout": 1.5}),
    Mutant("blocked_for_ever", "echo", "N07", "no-time-out", {"idle_timeout": 1.5}),
    Mutant("lines_each_byte_counts", "line", "N08", "no-time-out", {"idle_timeout": 1.5}),
    Mutant("lines_crlf_only", "line", "L01", "line-ends"),
    Mutant("lines_keep_cr", "line", "L02", "line-ends"),
    Mutant("lines_one_a_read", "line", "S05", "one-reply-a-read"),
    Mutant("lines_cut", "line", "S03", "reads-once"),
    Mutant("lines_endless", "line", "L05", "endless-line", {"max_line": 16384}),
    Mutant("lines_endless", "line", "L06", "endless-line", {"max_line": 16384}),
    Mutant("lines_lost_at_fin", "line", "L07", "replies-lost"),
    Mutant("lines_end_at_nul", "line", "L04", "wrong-reply"),
    Mutant("lines_at_most_fifty", "line", "L08", "one-reply-a-read"),
    Mutant("big_reply_reset", "{folder}/big_reply.toml", "C06", "reset-unread"),
    Mutant("time_1970", "time", "R01", "wrong-reply"),
    Mutant("time_eight", "time", "R01", "wrong-reply"),
    Mutant("time_little", "time", "R01", "wrong-reply"),
    Mutant("daytime_stays", "daytime", "R01", "never-closes"),
    Mutant("qotd_long", "qotd", "R01", "wrong-reply"),
    Mutant("discard_answers", "discard", "R02", "wrong-reply"),
    Mutant("discard_answers", "discard", "R03", "wrong-reply"),
    Mutant("chargen_ends", "chargen", "R04", "closes-early"),
    Mutant("chargen_blocks", "chargen", "R06", "others-cut-off"),
    _udp("datagrams_cut", "U02", "cuts-datagrams"),
    _udp("datagrams_from_elsewhere", "U07", "answers-from-elsewhere"),
    _udp("datagrams_first_asker", "U06", "datagrams-lost"),
    _udp("datagrams_die", "U08", "dies"),
    _udp("datagrams_twice", "U04", "datagrams-lost"),
    _udp("datagrams_lost", "U04", "datagrams-lost"),
    _udp("datagrams_end_at_empty", "U03", "dies"),
    _udp("datagrams_loop", "U10", "answers-replies"),
    _udp("datagrams_loop", "U12", "answers-replies"),
    _udp("datagrams_discard_answers", "U11", "wrong-reply", "discard"),
    Mutant("tls_in_accept", "tls", "T07", "one-at-a-time", _TLS),
    Mutant("tls_old", "tls", "T01", "old-tls", _TLS),
    Mutant("tls_no_time_out", "tls", "T03", "endless-handshake", _SLOW_TLS),
    Mutant("tls_each_byte_counts", "tls", "T04", "endless-handshake", _SLOW_TLS),
    Mutant("tls_cut", "tls", "T06", "no-close-notify", _TLS),
    Mutant("crashes_on_odd_bytes", "robust", "B01", "dies"),
    Mutant("ends_at_a_format", "robust", "B02", "dies"),
    Mutant("full_at_a_mebibyte", "robust", "B03", "dies"),
)
