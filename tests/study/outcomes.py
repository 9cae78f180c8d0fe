"""Outcomes without a run, for who says them."""

from __future__ import annotations

from twisted_lab.events import Call, Called, Connected, Received, Sent
from twisted_lab.study.drawing import Picture
from twisted_lab.study.experiment import Observation, experiment
from twisted_lab.study.running import Outcome
from twisted_lab.study.seen import Ended, Seen

#: What acts where it is not escaped.
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e`*"


def call(name: str, line: int = 7, error: str | None = None) -> Call:
    return Call(name, "", None if error else "1", error, 0.0, 1, 1, "s1", "/x/client.py", line)


def ended(name: str, *output: str) -> Ended:
    events = (
        Called(1, name, call=call("socket", 5)),
        Connected(2, name, "c1", "127.0.0.1:9", "127.0.0.1:8", "tcp", call=call("connect", 6)),
        Sent(3, name, "c1", 2, b"hi", call=call("send")),
        Called(4, name, "c1", call=call("send", error="EAGAIN")),
        Received(5, name, "c1", 3, b"you", call=call("recv")),
    )
    return Ended(name, events, output, (), 0, f"{name}.py")


def outcome(*observations: Observation) -> Outcome:
    """One of the first experiment, in which something hostile was printed and observed."""
    seen = Seen({"server": ended("server", HOSTILE), "client": ended("client")})
    observed = observations or (Observation(True, HOSTILE), Observation(False, "so not"))
    picture = Picture(HOSTILE, "<svg><desc></desc>w</svg>", "<svg>n</svg>")
    return Outcome(experiment("1"), seen, Seen({}), observed, (picture,))
