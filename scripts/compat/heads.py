"""Rules for keys of both kinds of documents: the specification's version, and `info`."""

from __future__ import annotations

from collections.abc import Iterator

from scripts.compat.changes import Change, breaking
from scripts.compat.parts import NOT_MODELLED, Part, Rule, annotation, compare_objects

_INFO: dict[str, Rule] = dict.fromkeys(
    ("title", "summary", "description", "termsOfService", "contact", "license", "tags",
     "externalDocs"),
    annotation,
)  # fmt: skip


def info(_place: str, old: Part, new: Part) -> Iterator[Change]:
    """The rule for `info`, whose version is checked elsewhere."""
    yield from compare_objects("info", old.child("info"), new.child("info"), _INFO)


def specification(key: str) -> Rule:
    """The rule for the specification's version; a new patch version changes nothing."""

    def rule(_place: str, old: Part, new: Part) -> Iterator[Change]:
        versions = [str(part.literal(key)) for part in (old, new)]
        before, after = (version.rpartition(".")[0] for version in versions)
        if before != after:
            yield breaking(f"#/{key}", f"{versions[0]} becomes {versions[1]}", NOT_MODELLED)

    return rule
