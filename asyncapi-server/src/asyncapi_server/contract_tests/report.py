"""Reports of contract tests: text for people, JSON, and JUnit for CI."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from xml.etree import ElementTree

from asyncapi_server.contract_tests.campaign import Report

Reports = Mapping[str, Report]
"""The report of each channel, by its address."""


def as_text(reports: Reports) -> str:
    """Each report, under the address of its channel where there are several."""
    heads = (f"{address}\n" if len(reports) > 1 else "" for address in reports)
    return "".join(
        f"{head}{report}\n" for head, report in zip(heads, reports.values(), strict=True)
    )


def as_json(reports: Reports) -> str:
    """An object with `channels`: what was sent and answered, and each violation."""
    channels = [_channel(address, report) for address, report in reports.items()]
    return json.dumps({"channels": channels}, indent=2, ensure_ascii=False) + "\n"


def as_junit(reports: Reports) -> str:
    """A suite for each channel: a case for each kind of each message, and for each violation the
    shortest sequence of messages that leads to it."""
    root = ElementTree.Element("testsuites")
    for address, report in reports.items():
        cases = list(_cases(report))
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=address,
            tests=str(len(cases)),
            failures=str(len(report.violations)),
            skipped=str(len(report.unmade)),
            time=f"{report.seconds:.3f}",
        )
        suite.extend(cases)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


FORMATS: Mapping[str, Callable[[Reports], str]] = {
    "text": as_text,
    "json": as_json,
    "junit": as_junit,
}


def _channel(address: str, report: Report) -> dict[str, object]:
    tally = report.tally
    return {
        "address": address,
        "seconds": round(report.seconds, 3),
        "connections": tally.connections,
        "sent": [
            {"kind": kind, "message": message, "count": count}
            for (kind, message), count in sorted(tally.sent.items())
        ],
        "answered": [
            {"kind": kind, "message": message, "answer": answer, "count": count}
            for (kind, message, answer), count in sorted(tally.answers.items())
        ],
        "unasked": dict(sorted(tally.unasked.items())),
        "constraints": dict(sorted(tally.sites.items())),
        "not_sent": list(report.unmade),
        "violations": [
            {
                "kind": type(violation).__name__,
                "text": violation.text,
                "transcript": list(violation.transcript),
            }
            for violation in report.violations
        ],
    }


def _cases(report: Report) -> Iterator[ElementTree.Element]:
    for (kind, message), count in sorted(report.tally.sent.items()):
        case = ElementTree.Element("testcase", classname=kind, name=message)
        ElementTree.SubElement(case, "system-out").text = f"{count} messages"
        yield case
    for name in report.unmade:
        case = ElementTree.Element("testcase", classname="valid", name=name)
        text = "no value of its schema was found: write an example"
        ElementTree.SubElement(case, "skipped", message=text)
        yield case
    for number, violation in enumerate(report.violations, 1):
        kind = type(violation).__name__
        case = ElementTree.Element("testcase", classname="violation", name=f"{kind} {number}")
        failure = ElementTree.SubElement(case, "failure", type=kind, message=_xml(violation.text))
        failure.text = _xml("\n".join(violation.transcript))
        yield case


def _xml(text: str) -> str:
    """The text without characters that XML does not have."""
    return "".join(c if c >= " " or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)
