"""Daytime (RFC 867): date and time as a line a person reads."""

from __future__ import annotations

from datetime import datetime

# Not strftime's names, which follow the locale; RFC 867 wants ASCII.
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_MONTHS = (
    "January February March April May June July August September October November December"
).split()


def daytime(now: datetime) -> bytes:
    """*now* in the first syntax RFC 867 names: ``Tuesday, February 22, 1982 17:37:43-PST``.

    One line, ended by CR LF. The zone is the name *now* has for it.
    """
    date = f"{_DAYS[now.weekday()]}, {_MONTHS[now.month - 1]} {now.day}, {now.year}"
    return f"{date} {now:%H:%M:%S}-{now.tzname()}\r\n".encode("ascii")
