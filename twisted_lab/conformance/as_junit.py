"""Reports as JUnit XML: for CI systems. A server is a suite, a case a test."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from twisted_lab.conformance.exam import Result
from twisted_lab.conformance.report import Report, sentence
from twisted_lab.conformance.verdicts import Verdict
from twisted_lab.conformance.wirelog import lines

#: What says neither yes nor no is skipped there, with its reason.
_SKIPPED = (Verdict.SKIPPED, Verdict.COULD_NOT_TELL)


def as_junit(reports: Sequence[Report]) -> bytes:
    """The XML, UTF-8."""
    suites = Element("testsuites", name="socketlab check")
    for report in reports:
        suites.append(_suite(report))
    ElementTree.indent(suites)
    xml: bytes = ElementTree.tostring(suites, "utf-8", xml_declaration=True)
    return xml + b"\n"


def _suite(report: Report) -> Element:
    skipped = sum(result.finding.verdict in _SKIPPED for result in report.results)
    suite = Element(
        "testsuite",
        name=f"{report.name} ({report.profile})",
        tests=str(len(report.results) + bool(report.wrong)),
        failures=str(len(report.failed)),
        errors=str(int(bool(report.wrong))),
        skipped=str(skipped),
        time=f"{report.seconds:.3f}",
    )
    for result in report.results:
        suite.append(_case(result, report))
    if report.wrong:
        test = SubElement(suite, "testcase", name="reach the server", classname=report.profile)
        SubElement(test, "error", message=report.wrong)
    if report.said:
        SubElement(suite, "system-out").text = "\n".join(report.said)
    return suite


def _case(result: Result, report: Report) -> Element:
    name = f"{result.case.id} {result.case.title}"
    test = Element("testcase", name=name, classname=report.profile, time=f"{result.seconds:.3f}")
    verdict = result.finding.verdict
    if result.failed:
        failure = SubElement(test, "failure", type=result.bug, message=sentence(result))
        failure.text = "\n".join(line for one in result.conversations for line in lines(one))
    elif verdict in _SKIPPED:
        SubElement(test, "skipped", message=f"{verdict}: {result.finding.reason}")
    else:
        SubElement(test, "system-out").text = f"{verdict}: {result.finding.reason}"
    return test
