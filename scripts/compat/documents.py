"""Trees of documents: the documents in a folder, and how they differ from those in another."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from asyncapi_server import Contract, load_document
from asyncapi_server.document.source import Library
from scripts.bundle import Bundle
from scripts.compat.changes import Change, Level, breaking
from scripts.compat.parts import equal
from scripts.compat.rest import compare_rest
from scripts.compat.stream import Stream, compare_streams
from scripts.compat.version import Version, bump, least

_SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class SpecFile:
    """One document, in the forms that a comparison needs."""

    kind: str
    """"openapi" or "asyncapi"."""
    version: Version
    bundle: dict[str, object]
    """The whole document, including the files that it refers to, without its version."""
    contract: Contract | None
    """The compiled contract of an AsyncAPI document."""


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


def read(path: Path) -> SpecFile | None:
    """The document in a file; None for a file that is only a part of a document.

    Raises DocumentError for a faulty document, ValueError for an invalid version.
    """
    root = Library().open(path)
    kind = next((kind for kind in ("openapi", "asyncapi") if root.text(kind) is not None), None)
    if kind is None:
        return None
    contract = Contract.from_document(load_document(path)) if kind == "asyncapi" else None
    bundle = copy.deepcopy(Bundle(path).document)
    info = cast(dict[str, object], bundle.get("info", {}))
    try:
        version = Version.parse(str(info.pop("version", "")))
    except ValueError as error:
        raise ValueError(f"info.version of {path}: {error}") from error
    return SpecFile(kind, version, bundle, contract)


def read_tree(folder: Path) -> dict[str, SpecFile]:
    """The documents below a folder, by their relative paths. Raises what `read` raises."""
    files = (path for path in sorted(folder.rglob("*")) if path.suffix in _SUFFIXES)
    found = ((path.relative_to(folder).as_posix(), read(path)) for path in files)
    return {name: spec for name, spec in found if spec is not None}


def changes(old: SpecFile, new: SpecFile) -> tuple[Change, ...]:
    """The changes of one document, those of the highest level first."""
    if old.kind != new.kind:
        what = f"{old.kind} becomes {new.kind}"
        return (breaking("document", what, "it describes another protocol"),)
    if old.contract is not None and new.contract is not None:
        found = compare_streams(Stream(old.bundle, old.contract), Stream(new.bundle, new.contract))
    else:
        found = compare_rest(old.bundle, new.bundle)
    if not found and not equal(old.bundle, new.bundle):
        what = "words, examples or the way of writing"
        found = [Change(Level.WORDS, "document", what, "nothing that a client does depends on it")]
    return tuple(sorted(set(found), key=lambda change: (-change.level, change.place, change.what)))


def judge(old: dict[str, SpecFile], new: dict[str, SpecFile]) -> list[Verdict]:
    """A verdict on each document of either tree."""
    return [_verdict(name, old.get(name), new.get(name)) for name in sorted({*old, *new})]


def _verdict(name: str, old: SpecFile | None, new: SpecFile | None) -> Verdict:
    found: tuple[Change, ...] = ()
    if new is None:
        found = (breaking("document", "the document is gone", "its clients stop working"),)
    elif old is not None:
        found = changes(old, new)
    return Verdict(name, found, old.version if old else None, new.version if new else None)


def accepted(verdicts: Iterable[Verdict]) -> bool:
    """Whether the version of every document fits its changes.

    A document that is gone has no version to raise: a major version of another one is required.
    """
    verdicts = list(verdicts)
    major = any(v.old and v.new and v.new.major > v.old.major for v in verdicts)
    return all(verdict.holds or (verdict.new is None and major) for verdict in verdicts)
