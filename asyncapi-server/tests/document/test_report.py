"""Findings are reported to people, to programs and to CI."""

from __future__ import annotations

import json

import pytest

from asyncapi_server import Finding, Place, Rule, check, report
from asyncapi_server.__main__ import main
from support.rooms import DOCUMENTS

ARTICLE = DOCUMENTS / "kraken_article_2.0.yaml"
FINDINGS = check(ARTICLE)


def test_each_finding_is_one_line() -> None:
    lines = report.as_text(FINDINGS).splitlines()
    assert len(lines) == len(FINDINGS)
    assert f"{ARTICLE}:116 #/components/messages/unsubscribe: not served: the payload" in "\n".join(
        lines
    )
    strange = Finding(Place("a.yaml", 3, "/\x7f"), "two\nlines \x1b[31m\ud800\u202e", Rule.SCHEMA)
    assert report.as_text([strange]) == (
        "a.yaml:3 #/\\x7f: error: two lines \\x1b[31m\\ud800\\u202e [schema]\n"
    )


def test_a_text_is_bounded() -> None:
    finding = Finding(Place("a.yaml", 3, "/x"), "long " * 1_000, Rule.SCHEMA)
    assert len(finding.text) == 1_000
    assert finding.text.endswith("long…")


def test_json_has_each_finding() -> None:
    rows = json.loads(report.as_json(FINDINGS))
    assert len(rows) == len(FINDINGS)
    assert {row["severity"] for row in rows} == {"error", "unserved", "advice"}
    assert rows[0].keys() == {"file", "line", "pointer", "severity", "rule", "text"}


def test_sarif_names_the_rule_and_the_line_of_each_result() -> None:
    log = json.loads(report.as_sarif(FINDINGS))
    (run,) = log["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert rules == {rule.key for rule in Rule}
    for result, finding in zip(run["results"], FINDINGS, strict=True):
        assert result["ruleId"] in rules
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == str(ARTICLE)
        assert place["region"]["startLine"] == finding.place.line


def test_annotations_of_github_are_escaped() -> None:
    strange = Finding(Place("a,b:c.yaml", 0, "/x"), "100 %\nand more", Rule.TWIN)
    (line,) = report.as_github([strange]).splitlines()
    head = "::warning file=a%2Cb%3Ac.yaml,line=1,title=twin::"
    assert line == f"{head}100 %25%0Aand more (#/x)"


def test_the_summary_counts_each_severity() -> None:
    assert report.summary(FINDINGS) == "5 errors, 1 part cannot be served, 8 pieces of advice"
    assert report.summary([]) == ""


@pytest.mark.parametrize("form", report.FORMATS)
def test_the_command_prints_each_format(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(ARTICLE), "--strict", "--format", form]) == 1
    assert capsys.readouterr().out.startswith(report.FORMATS[form](FINDINGS))


def test_a_document_of_which_a_part_is_not_served_has_a_status_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    document = DOCUMENTS / "suite" / "raml-2.6.yaml"
    assert main(["check", str(document)]) == 2
    assert "not served" in capsys.readouterr().out
