"""The errors of ours that reach a person, named by who is at fault."""

from __future__ import annotations


class SocketlabError(Exception):
    """Any error of ours; its text is one sentence that names the offending value."""


class ConfigurationError(SocketlabError):
    """The person who started us asked for something that cannot be: a value, a unit, a file."""


class CannotServe(SocketlabError):
    """The machine refused: a port in use, no permission, no such address."""
