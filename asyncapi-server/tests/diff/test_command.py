"""The command: two files in, a report in one of four formats and an exit status out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from asyncapi_server.__main__ import main
from diff.documents import rich

RICH = Path(__file__).parent / "rich"
STREAM = """\
asyncapi: 3.0.0
info: {title: Small, version: 1.4.0}
channels:
  room:
    address: /room
    messages:
      say:
        payload:
          type: object
          properties:
            text: {$ref: 'text.yaml#/Text'}
      said:
        payload:
          type: object
          properties:
            text: {$ref: 'text.yaml#/Text'}
operations:
  say:
    action: receive
    channel: {$ref: '#/channels/room'}
    messages: [{$ref: '#/channels/room/messages/say'}]
  said:
    action: send
    channel: {$ref: '#/channels/room'}
    messages: [{$ref: '#/channels/room/messages/said'}]
"""
TEXT = """\
Text:
  type: string
  maxLength: 20
"""
LONGER, SHORTER = TEXT.replace("20", "30"), TEXT.replace("20", "10")
ANSWERED = STREAM.replace("text: {$ref: 'text.yaml#/Text'}\n      said", "text: true\n      said")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return write(tmp_path / "old")


def write(folder: Path, stream: str = STREAM, text: str = TEXT) -> Path:
    folder.mkdir()
    (folder / "text.yaml").write_text(text, "utf-8")
    file = folder / "stream.yaml"
    file.write_text(stream, "utf-8")
    return file


def raised(version: str, stream: str = STREAM) -> str:
    return stream.replace("1.4.0", version)


def run(old: Path, new: Path, *options: str) -> int:
    return main(["diff", str(old), str(new), *options])


@pytest.mark.parametrize(
    ("version", "text", "status", "strict"),
    [
        ("1.4.0", TEXT, 0, 0),
        ("1.4.0", SHORTER, 1, 1),
        ("1.9.0", SHORTER, 1, 1),
        ("2.0.0", SHORTER, 0, 0),
        ("2", SHORTER, 0, 0),
        ("1.4.0", TEXT.replace("20", "20\n  description: Words"), 0, 1),
        ("1.4.1", TEXT.replace("20", "20\n  description: Words"), 0, 0),
        ("1.3.0", TEXT, 0, 1),
    ],
)
def test_the_status_says_whether_the_version_allows_the_changes(
    old: Path, tmp_path: Path, version: str, text: str, status: int, strict: int
) -> None:
    new = write(tmp_path / "new", raised(version), text)
    assert run(old, new) == status
    assert run(old, new, "--strict") == strict


def test_an_addition_is_no_break_and_asks_for_a_minor_version(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = write(tmp_path / "new", ANSWERED)
    assert run(old, new) == 0
    assert "set info.version to 1.5.0 or above" in capsys.readouterr().out
    assert run(old, new, "--strict") == 1
    assert run(old, write(tmp_path / "more", raised("1.5.0", ANSWERED)), "--strict") == 0


def test_each_change_is_one_line_with_its_place(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = write(tmp_path / "new", text=SHORTER)
    assert run(old, new) == 1
    text = tmp_path / "new" / "text.yaml"
    assert capsys.readouterr().out.splitlines() == [
        f"{text}:2 #/Text: breaking: /room say/text: maxLength 20 becomes maxLength 10: some of "
        "what clients may send is refused now [those who send requests]",
        f"{text}:2 #/Text: compatible: /room said/text: maxLength 20 becomes maxLength 10: clients "
        "get only values that they had to expect before",
        "1 breaking change, 1 compatible change: a major version after 1.4.0 is asked for, set "
        "info.version to 2.0.0 or above",
    ]


def test_a_change_of_a_shared_part_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "{payload: {properties: {text: {$ref: 'text.yaml#/Text'}}}}"
    more = "".join(f"      say{number}: {text}\n" for number in range(9))
    stream = STREAM.replace("      said:\n", f"{more}      said:\n", 1) + (
        "  all: {action: receive, channel: {$ref: '#/channels/room'}}\n"
    )
    assert run(write(tmp_path / "old", stream), write(tmp_path / "new", stream, SHORTER)) == 1
    broken = [line for line in capsys.readouterr().out.splitlines() if "breaking:" in line]
    assert len(broken) == 1
    assert "/room said/text, /room say/text, /room say0/text, and 8 more: " in broken[0]


def test_what_is_enough_is_said(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(old, write(tmp_path / "new", raised("2.0.0"), SHORTER)) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.endswith("2.0.0 is enough, a major version after 1.4.0 is asked for")
    assert run(old, old) == 0
    assert capsys.readouterr().out == "no change\n"


def test_json_has_all_of_each_change(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = write(tmp_path / "new", raised("1.5.0"), SHORTER)
    assert run(old, new, "--format", "json") == 1
    report = json.loads(capsys.readouterr().out)
    changes = report.pop("changes")
    assert report == {
        "old": "1.4.0",
        "new": "1.5.0",
        "needs": "2.0.0",
        "bump": "major",
        "accepted": False,
        "raised": False,
    }
    assert changes[0] == {
        "level": "breaking",
        "bump": "major",
        "breaks": ["senders"],
        "file": str(tmp_path / "new" / "text.yaml"),
        "line": 2,
        "pointer": "/Text",
        "where": "/room say/text",
        "what": "maxLength 20 becomes maxLength 10",
        "why": "some of what clients may send is refused now",
    }
    assert [(each["level"], each["bump"], each["breaks"]) for each in changes[1:]] == [
        ("compatible", "minor", [])
    ]


@pytest.mark.parametrize(("version", "right"), [("1.9.0", "error"), ("2.0.0", "warning")])
def test_sarif_is_as_code_scanning_takes_it(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], version: str, right: str
) -> None:
    new = write(tmp_path / "new", raised(version), SHORTER)
    run(old, new, "--format", "sarif")
    log = json.loads(capsys.readouterr().out)
    assert log["version"] == "2.1.0"
    (run_,) = log["runs"]
    rules = {rule["id"] for rule in run_["tool"]["driver"]["rules"]}
    assert [result["level"] for result in run_["results"]] == [right, "note"]
    for result in run_["results"]:
        assert result["ruleId"] in rules
        (location,) = result["locations"]
        assert location["physicalLocation"]["region"] == {"startLine": 2}
        assert location["physicalLocation"]["artifactLocation"]["uri"].endswith("new/text.yaml")
    assert "those who send requests" in run_["results"][0]["message"]["text"]


def test_github_shows_changes_beside_the_lines(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = write(tmp_path / "new: one, two", text=SHORTER)
    assert run(old, new, "--format", "github") == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "/new%3A one%2C two/text.yaml,line=2,title=breaking::/room say/text: " in lines[0]
    assert lines[0].startswith("::error file=")
    assert lines[0].endswith("Take it back, or set info.version to 2.0.0 or above.")
    assert lines[1].startswith("::notice file=")


def test_names_of_any_text_stay_on_their_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = '"a%0A\\n::error::b"'
    old = write(tmp_path / "old", STREAM.replace("text:", f"{name}:"))
    new = write(tmp_path / "new", STREAM.replace("text:", f"{name}:"), SHORTER)
    for form in ("text", "github"):
        assert run(old, new, "--format", form) == 1
        assert len(capsys.readouterr().out.splitlines()) == (3 if form == "text" else 2)


UNREADABLE = {
    "missing": None,
    "no yaml": "asyncapi: [",
    "a list": "[]",
    "no document": "swagger: '2.0'",
    "an old version": STREAM.replace("3.0.0", "1.2.0"),
    "a new version": "openapi: 3.9.0\ninfo: {version: 1.0.0}\npaths: {}",
    "no own version": STREAM.replace("version: 1.4.0", "x-none: 1"),
    "another form of version": raised("spring"),
    "a reference that leads nowhere": STREAM.replace("text.yaml#/Text", "text.yaml#/No"),
    "a remote reference": STREAM.replace("text.yaml#", "http://127.0.0.1:9/text.yaml#"),
    "a file outside": STREAM.replace("text.yaml#", "../old/text.yaml#"),
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_without_two_documents_there_is_no_verdict(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, form: str
) -> None:
    new = write(tmp_path / "new", text or "")
    if text is None:
        new.unlink()
    for one, two in ((old, new), (new, old)):
        assert run(one, two, "--format", form) == 2
        printed = capsys.readouterr().out
        assert str(tmp_path / "new") in printed
        if form in ("text", "github"):
            assert len(printed.splitlines()) == 1
        else:
            found = json.loads(printed)
            assert len(found if form == "json" else found["runs"][0]["results"]) == 1


def test_references_may_lead_to_a_folder_that_is_named(old: Path, tmp_path: Path) -> None:
    new = write(tmp_path / "new", STREAM.replace("text.yaml#", "../old/text.yaml#"))
    assert run(old, new, "--within", str(tmp_path)) == 0


def test_a_document_of_a_client_is_turned(old: Path, tmp_path: Path) -> None:
    new = write(tmp_path / "new", ANSWERED)
    assert run(old, new) == 0
    assert run(old, new, "--as", "client") == 1


def test_terms_are_options(old: Path, tmp_path: Path) -> None:
    noted = write(tmp_path / "noted", STREAM.replace("address", "x-note: 1\n    address"))
    assert run(old, noted) == 1
    assert run(old, noted, "--ignore", "x-note") == 0
    spoken = STREAM.replace("      said:", "      more: {}\n      said:", 1) + (
        "  more:\n    action: send\n    channel: {$ref: '#/channels/room'}\n"
        "    messages: [{$ref: '#/channels/room/messages/more'}]\n"
    )
    new = write(tmp_path / "spoken", spoken)
    assert run(old, new) == 1
    assert run(old, new, "--open-messages") == 0


def test_documents_of_two_kinds_are_a_break(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(RICH / "shop-3.0.yaml", RICH / "rooms-3.0.yaml") == 1
    assert "openapi becomes asyncapi" in capsys.readouterr().out


@pytest.mark.parametrize(
    "options", [[], ["one.yaml"], ["a", "b", "c"], ["a", "b", "--format", "x"]]
)
def test_a_wrong_command_line_is_no_verdict(options: list[str]) -> None:
    with pytest.raises(SystemExit) as error:
        main(["diff", *options])
    assert error.value.code == 64


def test_it_runs_as_a_process(old: Path, tmp_path: Path) -> None:
    new = write(tmp_path / "new", text=SHORTER)
    script = (
        "import argparse, sys; from asyncapi_server.diff import command;"
        "parser = argparse.ArgumentParser(); command.add_arguments(parser);"
        "sys.exit(command.run(parser.parse_args()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, old, new], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert "breaking: /room say/text" in done.stdout


def test_the_rich_documents_are_read_from_files() -> None:
    for name in ("rooms-2.6.yaml", "shop-3.0.yaml"):
        document: dict[str, Any] = rich(name)
        assert document
        assert run(RICH / name, RICH / name) == 0
