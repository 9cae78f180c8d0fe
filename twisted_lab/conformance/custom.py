"""A profile made of a TOML file: what is sent, what must come back, and how its end is known.

The keys, of which ``send`` or a greeting is needed, and for ``send`` a reply::

    name = "redis"              what reports call it; else the file's name
    summary = "…"               one line about it
    greeting = "…"              the server speaks first, and says this
    greeting_pattern = '…'      or what matches this
    send = "PING\\r\\n"           one request
    reply = "+PONG\\r\\n"         the reply to one
    reply_pattern = '…'         or what matches this
    closes = true               the server closes after its reply
    pipelined = false           the next request waits for the reply to the last

A pattern is a regular expression of Python in verbose form, on bytes: white space in it counts
for nothing (``\\ `` or ``[ ]`` is a space). A named group ``length`` says, in decimal digits, how
many bytes follow what matched. ``hex:`` before a text stands for bytes written as hex.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from twisted_lab.conformance.case import Trait
from twisted_lab.conformance.profiles import Judgement, Profile
from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape
from twisted_lab.outfile import cannot

#: The files that come with socketlab, by name.
EXAMPLES = ("http", "redis", "smtp")

TEXTS = ("name", "summary", "greeting", "greeting_pattern", "send", "reply", "reply_pattern")
SWITCHES = {"closes": False, "pipelined": True}

#: Bytes of a profile's file, and bytes that a ``length`` may promise.
_LARGEST, _LONGEST = 2**16, 2**26


@dataclass(frozen=True, slots=True)
class Message:
    """What the server is to say once: *literal* bytes, or what matches *pattern*."""

    literal: bytes = b""
    pattern: re.Pattern[bytes] | None = None

    def end(self, seen: bytes, start: int) -> int | None:
        """Where it ends in *seen*, if it stands whole at *start*; ValueError when it cannot."""
        if self.pattern is None:
            there = seen[start : start + len(self.literal)]
            if not self.literal.startswith(there):
                raise ValueError(f"{_shown(there)} came, not {_shown(self.literal)}")
            return start + len(self.literal) if len(there) == len(self.literal) else None
        match = self.pattern.match(seen, start)
        if match is None:
            return None
        length = int(match["length"]) if "length" in self.pattern.groupindex else 0
        if length > _LONGEST:
            raise ValueError(f"it promises {length:,} bytes")
        end = match.end() + length
        return end if end <= len(seen) else None


def _shown(data: bytes) -> str:
    return f"'{escape(data, 60)}'"


def judging(message: Message) -> Callable[[bytes, int, bytes], Judgement]:
    """Judges *count* of *message*, one after the other."""

    def judge(asked: bytes, count: int, seen: bytes) -> Judgement:
        at = 0
        for number in range(count):
            try:
                end = message.end(seen, at)
            except ValueError as error:
                return Judgement(False, f"reply {number + 1}: {error}")
            if end is None:
                return Judgement(False)
            at = end
        if at < len(seen):
            return Judgement(True, f"{_shown(seen[at:])} came after what was asked for")
        return Judgement(True)

    return judge


def read_profile(file: Path | Traversable) -> Profile:
    """The profile that *file* says; raises :class:`ConfigurationError`, one sentence."""
    try:
        with file.open("rb") as opened:
            text = opened.read(_LARGEST + 1)
    except OSError as error:
        raise cannot("read", str(file), error) from None
    try:
        if len(text) > _LARGEST:
            raise ValueError(f"it has more than {_LARGEST:,} bytes")
        return _profile(tomllib.loads(text.decode()), file.name.removesuffix(".toml"))
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, UnicodeDecodeError are some
        said = f"the profile '{escape(str(file))}' is wrong: {escape(str(error))}"
        raise ConfigurationError(said) from None


def example(name: str) -> Profile:
    """One of :data:`EXAMPLES`."""
    return read_profile(resources.files(__package__) / "examples" / f"{name}.toml")


def _profile(values: dict[str, Any], name: str) -> Profile:
    for key, value in values.items():
        kind = str if key in TEXTS else bool if key in SWITCHES else None
        if kind is None:
            known = ", ".join((*TEXTS, *SWITCHES))
            raise ValueError(f"there is no key '{key}'; there are {known}")
        if not isinstance(value, kind):
            what = "a text" if kind is str else "true or false"
            raise ValueError(f"{key} = {value!r}: expected {what}")
    send, reply = values.get("send"), _message(values, "reply")
    greeting = _message(values, "greeting")
    if send is reply is greeting is None:
        raise ValueError("expected 'send', or a 'greeting'")
    if (send is None) != (reply is None):
        missing, there = ("send", "a reply") if send is None else ("reply", "'send'")
        raise ValueError(f"there is {there}, and no '{missing}'")
    return _made(values, name, None if send is None else _bytes(send, "send"), reply, greeting)


def _made(
    values: dict[str, Any],
    name: str,
    request: bytes | None,
    reply: Message | None,
    greeting: Message | None,
) -> Profile:
    closes = values.get("closes", SWITCHES["closes"])
    traits = {Trait.CLOSES} if closes else set()
    if greeting is not None and reply is None and closes:
        traits.add(Trait.SPEAKS_FIRST)  # as daytime does: it has nothing else to say
        return Profile(
            values.get("name", name),
            values.get("summary", ""),
            frozenset(traits),
            lambda asked, count, seen: judging(greeting)(asked, 1, seen),
        )
    if reply is not None:
        traits.add(Trait.REPLIES)
        traits |= set() if closes else {Trait.TAKES_MORE}
        if values.get("pipelined", SWITCHES["pipelined"]) and not closes:
            traits.add(Trait.PIPELINES)
    greets = None if greeting is None else judging(greeting)
    return Profile(
        values.get("name", name),
        values.get("summary", ""),
        frozenset(traits),
        judging(reply or Message()),
        None if request is None else lambda size: request,
        greeting=None if greets is None else lambda asked, count, seen: greets(asked, 1, seen),
    )


def _message(values: dict[str, Any], key: str) -> Message | None:
    literal, pattern = values.get(key), values.get(f"{key}_pattern")
    if literal is not None and pattern is not None:
        raise ValueError(f"there are '{key}' and '{key}_pattern'; one of them is enough")
    if pattern is not None:
        return Message(pattern=_compiled(pattern, f"{key}_pattern"))
    return None if literal is None else Message(literal=_bytes(literal, key))


def _compiled(pattern: str, key: str) -> re.Pattern[bytes]:
    try:
        made = re.compile(pattern.encode(), re.VERBOSE)
    except (re.error, OverflowError) as error:
        raise ValueError(f"{key}: {error}") from None
    if made.match(b""):
        raise ValueError(f"{key} = {pattern!r} matches nothing at all")
    return made


def _bytes(text: str, key: str) -> bytes:
    data = bytes.fromhex(text[4:]) if text.startswith("hex:") else text.encode()
    if not data:
        raise ValueError(f"{key} is empty")
    return data
