"""Endpoint strings whose paths are relative to a folder, as those in a file of services are."""

from __future__ import annotations

import os
import re

from twisted_lab.errors import ConfigurationError
from twisted_lab.transports.endpoint_text import Request, read

#: The keys whose values are paths, in our endpoints and in Twisted's.
_KEYS = frozenset({"privateKey", "certKey", "extraCertChain", "dhParameters"})


def from_folder(text: str, folder: str) -> str:
    """The endpoint *text* with its relative paths taken from *folder*.

    What is no endpoint, or has no relative path, comes back as it is.
    """
    try:
        request = read(text)
    except ConfigurationError:
        return text  # to be refused by whoever listens there
    keys = {
        key: os.path.join(folder, value) if key in _KEYS and value else value
        for key, value in request.keys.items()
    }
    positional = _positional(request, folder)
    if (keys, positional) == (request.keys, request.positional):
        return text
    named = [f"{_quote(key)}={_quote(value)}" for key, value in keys.items()]
    return ":".join([_quote(request.prefix), *map(_quote, positional), *named])


def _positional(request: Request, folder: str) -> list[str]:
    """A path follows ``unix``, and a folder of certificates may follow ``tls``, wherever it is."""
    words = [request.prefix, *request.positional]
    for at, before in enumerate(words[:-1], 1):
        path = os.path.join(folder, words[at])
        in_front = words[: at - 1] in ([], ["haproxy"])
        if words[at] and (
            (before == "unix" and in_front) or (before == "tls" and os.path.isdir(path))
        ):
            words[at] = path
    return words[1:]


def _quote(word: str) -> str:
    return re.sub(r"([\\:=])", r"\\\1", word)
