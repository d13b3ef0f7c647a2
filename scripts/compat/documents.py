"""Trees of documents: the documents in a folder, and how they differ from those in another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from asyncapi_server.diff import Change, Spec, Terms, Version, bump, compare, least
from asyncapi_server.diff.changes import breaking
from asyncapi_server.diff.spec import KINDS
from asyncapi_server.document.source import Library
from asyncapi_server.findings import Place

TERMS = Terms(
    ignored=frozenset({"x-enum-varnames", "x-facts", "x-several-replies"}),
    open_messages=True,
)
"""Our extensions are for our generator, and our documents ask clients to ignore unknown types."""
_SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The changes of one document, and whether its version fits them."""

    name: str
    changes: tuple[Change, ...]
    old: Version | None
    """None when the document is new."""
    new: Version | None
    """None when the document is gone."""

    @property
    def needs(self) -> Version | None:
        """The lowest version that the document may have; None when any is allowed."""
        if self.old is None or self.new is None:
            return None
        return least(self.changes, self.old)

    @property
    def holds(self) -> bool:
        """Whether the version was raised as far as the changes require."""
        if self.needs is not None and self.new is not None:
            return self.new >= self.needs
        return self.old is None

    @property
    def part(self) -> str | None:
        """The part of the version that must rise, or None."""
        if not self.changes or self.old is None:
            return None
        return bump(max(change.level for change in self.changes), self.old)


def read_tree(folder: Path) -> dict[str, Spec]:
    """The documents below a folder, by their relative paths; raises DocumentError."""
    files = (path for path in sorted(folder.rglob("*")) if path.suffix in _SUFFIXES)
    return {
        path.relative_to(folder).as_posix(): Spec.read(path) for path in files if _is_whole(path)
    }


def _is_whole(path: Path) -> bool:
    """Whether a file is a document, and not a part of one."""
    root = Library().open(path)
    return any(root.raw(kind) is not None for kind in KINDS)


def judge(old: dict[str, Spec], new: dict[str, Spec]) -> list[Verdict]:
    """A verdict on each document of either tree; raises DocumentError."""
    return [_verdict(name, old.get(name), new.get(name)) for name in sorted({*old, *new})]


def _verdict(name: str, old: Spec | None, new: Spec | None) -> Verdict:
    found: tuple[Change, ...] = ()
    if old is not None and new is not None:
        found = compare(old, new, TERMS).changes
    elif old is not None:
        what, why = "the document is gone", "its clients stop working"
        found = (breaking(Place(name, 0, ""), "document", what, why),)
    return Verdict(name, found, old.version if old else None, new.version if new else None)


def accepted(verdicts: Iterable[Verdict]) -> bool:
    """Whether the version of every document fits its changes.

    A document that is gone has no version to raise: a major version of another one is required.
    """
    verdicts = list(verdicts)
    major = any(v.old and v.new and v.new.major > v.old.major for v in verdicts)
    return all(verdict.holds or (verdict.new is None and major) for verdict in verdicts)
