"""The version number that changes require."""

from __future__ import annotations

import pytest

from asyncapi_server.diff import Change, Level, Version, bump, least
from asyncapi_server.findings import Place


def change(level: Level) -> Change:
    return Change(level, "where", "what", "why", Place("new.yaml", 1, ""))


@pytest.mark.parametrize(
    ("level", "old", "needed", "part"),
    [
        (Level.BREAKING, "1.2.3", "2.0.0", "major"),
        (Level.COMPATIBLE, "1.2.3", "1.3.0", "minor"),
        (Level.WORDS, "1.2.3", "1.2.4", "patch"),
        (Level.BREAKING, "0.2.3", "0.3.0", "minor"),
        (Level.COMPATIBLE, "0.2.3", "0.2.4", "patch"),
        (Level.WORDS, "0.2.3", "0.2.4", "patch"),
    ],
)
def test_the_gravest_change_decides(level: Level, old: str, needed: str, part: str) -> None:
    changes = [change(lower) for lower in Level if lower <= level]
    assert str(least(changes, Version.parse(old))) == needed
    assert bump(level, Version.parse(old)) == part


def test_no_change_asks_for_nothing() -> None:
    assert least([], Version(1, 2, 3)) == Version(1, 2, 3)


@pytest.mark.parametrize(
    "text", ["", ".", "1.", "1.2.", "v1.2.3", "1.2.3.4", "one.two.three", "1" * 5000, "٣"]
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"major\.minor\.patch"):
        Version.parse(text)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("1", (1, 0, 0)),
        ("1.2", (1, 2, 0)),
        ("1.2.3", (1, 2, 3)),
        ("1.2.3-rc.1+build", (1, 2, 3)),
        ("2-draft", (2, 0, 0)),
    ],
)
def test_parts_that_are_left_out_are_zero(text: str, version: tuple[int, int, int]) -> None:
    assert Version.parse(text) == version
