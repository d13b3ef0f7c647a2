"""Reports of findings: text for people, JSON, SARIF for code scanning, and GitHub's annotations."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from asyncapi_server.findings import Finding, Place, Rule, Severity, printable

_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.UNSERVED: "warning", Severity.ADVICE: "note"}
_NAMES = {Severity.ERROR: "error", Severity.UNSERVED: "not served", Severity.ADVICE: "advice"}
_COUNTED = {
    Severity.ERROR: ("1 error", "{} errors"),
    Severity.UNSERVED: ("1 part cannot be served", "{} parts cannot be served"),
    Severity.ADVICE: ("1 piece of advice", "{} pieces of advice"),
}


def as_text(findings: Sequence[Finding]) -> str:
    """One line for each finding: file, line, pointer, severity, sentence and rule."""
    return "".join(f"{line(finding)}\n" for finding in findings)


def line(finding: Finding) -> str:
    """One finding on one line."""
    name = _NAMES[finding.severity]
    return printable(f"{finding.place}: {name}: {finding.text} [{finding.rule.key}]")


def summary(findings: Sequence[Finding]) -> str:
    """The number of findings of each severity: "2 errors, 1 piece of advice"."""
    counts = Counter(finding.severity for finding in findings)
    return ", ".join(
        _COUNTED[severity][counts[severity] > 1].format(counts[severity])
        for severity in Severity
        if counts[severity]
    )


def as_json(findings: Sequence[Finding]) -> str:
    """A JSON array of objects with file, line, pointer, severity, rule and text."""
    rows = [
        {
            "file": finding.place.file,
            "line": finding.place.line,
            "pointer": finding.place.pointer,
            "severity": finding.severity.name.lower(),
            "rule": finding.rule.key,
            "text": finding.text,
        }
        for finding in findings
    ]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def as_sarif(findings: Sequence[Finding]) -> str:
    """A SARIF 2.1.0 log with one run."""
    rules = [
        {
            "id": rule.key,
            "shortDescription": {"text": rule.says},
            "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        }
        for rule in Rule
    ]
    results = [
        sarif_result(finding.place, finding.rule.key, _LEVELS[finding.severity], finding.text)
        for finding in findings
    ]
    return sarif_log("asyncapi-server", rules, results)


def as_github(findings: Sequence[Finding]) -> str:
    """Workflow commands, which GitHub shows beside the lines of a change."""
    levels = {Severity.ERROR: "error", Severity.UNSERVED: "warning", Severity.ADVICE: "notice"}
    return "".join(
        github_line(
            levels[finding.severity],
            finding.place,
            finding.rule.key,
            f"{finding.text} (#{finding.place.pointer})",
        )
        for finding in findings
    )


FORMATS: Mapping[str, Callable[[Sequence[Finding]], str]] = {
    "text": as_text,
    "json": as_json,
    "sarif": as_sarif,
    "github": as_github,
}


def sarif_log(
    tool: str, rules: Sequence[Mapping[str, object]], results: Sequence[Mapping[str, object]]
) -> str:
    """A SARIF 2.1.0 log with one run of a tool."""
    run = {"tool": {"driver": {"name": tool, "rules": rules}}, "results": results}
    log = {"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def sarif_result(place: Place, rule: str, level: str, text: str) -> dict[str, object]:
    """A result of a SARIF log."""
    region = {"region": {"startLine": place.line}} if place.line else {}
    where = {"artifactLocation": {"uri": place.file.replace("\\", "/")}, **region}
    logical = [{"fullyQualifiedName": f"#{place.pointer}"}]
    return {
        "ruleId": rule,
        "level": level,
        "message": {"text": text},
        "locations": [{"physicalLocation": where, "logicalLocations": logical}],
    }


def github_line(level: str, place: Place, title: str, text: str) -> str:
    """A workflow command: `level` is error, warning or notice."""
    where = f"file={_property(place.file)},line={max(1, place.line)},title={title}"
    return f"::{level} {where}::{_data(text)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
