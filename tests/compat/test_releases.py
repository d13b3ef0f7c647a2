"""The base of the comparison: releases written or refused, and accepted changes."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from scripts.compat.__main__ import main as compat
from scripts.release import main as release
from tests.compat.test_command import BROKEN_STREAM, raised, write
from tests.specs.small import REST

BREAKING = {
    "document": "stream.yaml",
    "change": "enum gains please and loses ask",
    "places": ["/small ask/action"],
    "reason": "No client has ever sent it.",
}
WIDER_REST = raised(REST, "1.1.0").replace("maximum: 10", "maximum: 20")


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    return write(tmp_path / "specs")


@pytest.fixture
def releases(tmp_path: Path) -> Path:
    folder = tmp_path / "releases"
    folder.mkdir()
    write(folder / "1.0.0")
    accept(folder)
    return folder


def accept(releases: Path, *entries: object) -> None:
    (releases / "accepted.yaml").write_text(yaml.safe_dump(list(entries)), "utf-8")


def gate(specs: Path, releases: Path) -> int:
    return compat(["--specs", str(specs), "--releases", str(releases)])


def run(version: str, specs: Path, releases: Path) -> int:
    return release([version, "--specs", str(specs), "--releases", str(releases)])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_release_makes_the_documents_the_base(specs: Path, releases: Path) -> None:
    write(specs, rest=WIDER_REST)
    (releases / "accepted.yaml").write_text("# why\n[]\n", "utf-8")
    assert run("1.1.0", specs, releases) == 0
    assert names(releases) == ["1.1.0", "accepted.yaml"]
    for name in names(specs):
        assert (releases / "1.1.0" / name).read_bytes() == (specs / name).read_bytes()
    assert gate(specs, releases) == 0
    # An addition in the new base can no longer be removed.
    write(specs, rest=raised(REST, "1.1.0"))
    assert gate(specs, releases) == 1


@pytest.mark.parametrize("version", ["1.0.1", "1.1.0", "1.9.9"])
def test_a_release_that_breaks_clients_needs_a_major_version(
    specs: Path, releases: Path, version: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(specs, stream=raised(BROKEN_STREAM, "2.0.0"))
    assert run(version, specs, releases) == 1
    assert "these documents ask for 2.0.0 or above" in capsys.readouterr().err
    assert names(releases) == ["1.0.0", "accepted.yaml"]
    assert run("2.0.0", specs, releases) == 0
    assert names(releases) == ["2.0.0", "accepted.yaml"]


def test_a_release_is_refused_while_a_document_hides_what_it_breaks(
    specs: Path, releases: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(specs, stream=raised(BROKEN_STREAM, "1.1.0"))
    assert run("2.0.0", specs, releases) == 1
    assert "make compat" in capsys.readouterr().err
    assert names(releases) == ["1.0.0", "accepted.yaml"]


@pytest.mark.parametrize(("version", "code"), [("1.0.1", 1), ("1.1.0", 0)])
def test_a_release_that_adds_needs_a_minor_version(
    specs: Path, releases: Path, version: str, code: int
) -> None:
    write(specs, rest=WIDER_REST)
    assert run(version, specs, releases) == code


@pytest.mark.parametrize(("version", "code"), [("1.0.1", 1), ("1.1.0", 0)])
def test_a_new_document_needs_a_minor_version(
    specs: Path, releases: Path, version: str, code: int
) -> None:
    (specs / "more.yaml").write_text(REST, "utf-8")
    assert run(version, specs, releases) == code


@pytest.mark.parametrize("version", ["", "next", "1.0", "1.0.0", "0.9.0"])
def test_a_release_needs_a_version_above_the_last(
    specs: Path, releases: Path, version: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(version, specs, releases) == 1
    assert capsys.readouterr().err
    assert names(releases) == ["1.0.0", "accepted.yaml"]


def test_a_release_without_changes_needs_a_patch_version(specs: Path, releases: Path) -> None:
    assert run("1.0.1", specs, releases) == 0


def test_an_accepted_change_breaks_nobody(
    specs: Path, releases: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(specs, stream=raised(BROKEN_STREAM, "1.1.0"))
    assert gate(specs, releases) == 1
    accept(releases, BREAKING)
    assert gate(specs, releases) == 0
    assert "accepted: No client has ever sent it." in capsys.readouterr().out


def test_an_accepted_change_still_needs_a_minor_version(specs: Path, releases: Path) -> None:
    write(specs, stream=raised(BROKEN_STREAM, "1.0.1"))
    accept(releases, BREAKING)
    assert gate(specs, releases) == 1


def test_an_acceptance_covers_its_place_and_no_other(specs: Path, releases: Path) -> None:
    write(specs, stream=raised(BROKEN_STREAM, "1.1.0").replace("enum: [error]", "enum: [fault]"))
    accept(releases, BREAKING)
    assert gate(specs, releases) == 1


@pytest.mark.parametrize(
    "entry",
    [
        BREAKING,
        {**BREAKING, "reason": ""},
        {key: value for key, value in BREAKING.items() if key != "reason"},
        {**BREAKING, "more": 1},
        "all",
    ],
    ids=["no such change", "empty reason", "no reason", "unknown field", "no entry"],
)
def test_an_acceptance_that_fits_nothing_is_refused(
    specs: Path, releases: Path, entry: object, capsys: pytest.CaptureFixture[str]
) -> None:
    accept(releases, entry)
    assert gate(specs, releases) == 2
    assert "accepted" in capsys.readouterr().err


def test_a_release_empties_the_list_of_accepted_changes(specs: Path, releases: Path) -> None:
    write(specs, stream=raised(BROKEN_STREAM, "1.1.0"))
    accept(releases, BREAKING)
    assert run("1.1.0", specs, releases) == 0
    text = (releases / "accepted.yaml").read_text("utf-8")
    assert yaml.safe_load(text) == []
    assert "make compat" in text
    assert gate(specs, releases) == 0


def test_without_a_base_there_is_no_verdict(
    specs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate(specs, tmp_path / "none") == 2
    assert "documents of one release" in capsys.readouterr().err


def test_two_bases_are_no_base(specs: Path, releases: Path) -> None:
    write(releases / "1.1.0")
    assert gate(specs, releases) == 2
