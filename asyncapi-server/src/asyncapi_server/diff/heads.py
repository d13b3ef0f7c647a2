"""Rules for keys of both kinds of documents: the edition of the specification, and `info`."""

from __future__ import annotations

from collections.abc import Iterator

from asyncapi_server.diff.changes import Change, words
from asyncapi_server.diff.parts import Part
from asyncapi_server.diff.rules import Rule, annotation, inside

_INFO: dict[str, Rule] = dict.fromkeys(
    ("title", "summary", "description", "termsOfService", "contact", "license", "tags",
     "externalDocs", "version"),
    annotation,
)  # fmt: skip

info = inside("info", _INFO)
"""The rule for `info`, whose version is checked by itself."""


def edition(where: str, old: Part, new: Part) -> Iterator[Change]:
    """The rule for the version of AsyncAPI or OpenAPI, which is not on the wire."""
    before, after = old.spec.edition, new.spec.edition
    if before != after:
        step = f"{new.spec.kind} {before} becomes {after}"
        why = "what it means to clients is compared part by part"
        yield words(new.place, where or "document", step, why)
