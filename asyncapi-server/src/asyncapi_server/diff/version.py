"""The version number that the changes of a document require (semver.org)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from asyncapi_server.diff.changes import Change, Level

_FORM = re.compile(r"(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:[-+].*)?", re.ASCII)


class Version(NamedTuple):
    """A version number, without what follows a `-` or `+`."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Version:
        """Parse a text such as 1.2.3 or 1.2, whose patch is 0. Raises ValueError for any other."""
        match = _FORM.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a version: write major.minor.patch, as in 1.2.3")
        return cls(*(int(part or 0) for part in match.groups()))

    def __str__(self) -> str:
        return ".".join(map(str, self))


def bump(level: Level, old: Version) -> str:
    """The part of the version that must rise: "major", "minor" or "patch".

    Below 1.0.0 nothing is promised yet: breaking changes raise the minor part, others the patch.
    """
    rank = level if old.major else level - 1
    return {Level.BREAKING: "major", Level.COMPATIBLE: "minor"}.get(Level(max(rank, 0)), "patch")


def least(changes: Iterable[Change], old: Version) -> Version:
    """The lowest version that may carry the changes; the old one when there are none."""
    level = max((change.level for change in changes), default=None)
    if level is None:
        return old
    part = bump(level, old)
    if part == "major":
        return Version(old.major + 1, 0, 0)
    if part == "minor":
        return Version(old.major, old.minor + 1, 0)
    return Version(old.major, old.minor, old.patch + 1)
