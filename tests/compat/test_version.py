"""The version number that changes require."""

from __future__ import annotations

import pytest

from scripts.compat.changes import Change, Level
from scripts.compat.version import Version, bump, least


def change(level: Level) -> Change:
    return Change(level, "place", "what", "why")


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


@pytest.mark.parametrize("text", ["", "1", "1.2", "v1.2.3", "1.2.3.4", "one.two.three"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"major\.minor\.patch"):
        Version.parse(text)
