"""The checker: what is wrong with a server, told case by case. It shares no code with our server.

A case talks to the server in plain socket calls (``wire.py``, ``talk.py``), with what a
``probe.py`` gives it, and comes to a finding (``verdicts.py``); ``exam.py`` runs the cases, and
``checking.py`` makes a report of them. For programs::

    from twisted_lab.conformance import check

    check("echo", "tcp:127.0.0.1:7").raise_if_failed()
"""

from twisted_lab.conformance.checking import case_ids, check
from twisted_lab.conformance.report import CheckFailed, Report

__all__ = ["CheckFailed", "Report", "case_ids", "check"]
