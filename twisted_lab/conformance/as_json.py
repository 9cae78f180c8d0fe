"""Reports as JSON: for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from twisted_lab import __version__
from twisted_lab.conformance.bugs import BUGS
from twisted_lab.conformance.exam import Result
from twisted_lab.conformance.report import Report
from twisted_lab.conformance.wirelog import lines
from twisted_lab.diagnosis import Finding


def as_json(reports: Sequence[Report]) -> str:
    """``{"socketlab": 1, "version": …, "servers": [{…, "cases": [{"id", "title", …}]}]}``."""
    said = {
        "socketlab": 1,
        "version": __version__,
        "servers": [_server(report) for report in reports],
    }
    return json.dumps(said, indent=1, ensure_ascii=False) + "\n"


def _server(report: Report) -> dict[str, Any]:
    return {
        "server": report.name,
        "profile": report.profile,
        "seed": report.seed,
        "seconds": round(report.seconds, 3),
        "wrong": report.wrong,
        "counts": {verdict.value: number for verdict, number in report.count().items()},
        "said": list(report.said),
        "diagnoses": [_diagnosis(finding) for finding in report.diagnoses],
        "cases": [_case(result) for result in report.results],
    }


def _diagnosis(finding: Finding) -> dict[str, Any]:
    mistake = finding.mistake
    return {
        "mistake": mistake.name,
        "title": mistake.title,
        "place": finding.where,
        "says": finding.says,
        "why": mistake.why,
        "mend": mistake.mend,
    }


def _case(result: Result) -> dict[str, Any]:
    case = result.case
    return {
        "id": case.id,
        "title": case.title,
        "verdict": result.finding.verdict.value,
        "reason": result.finding.reason,
        "bug": BUGS[result.bug].name if result.bug else "",
        "severity": case.severity.value,
        "source": case.source,
        "seconds": round(result.seconds, 3),
        "wire": [
            {"server": one.peer, "checker": one.local, "events": list(lines(one))}
            for one in result.conversations
        ],
    }
