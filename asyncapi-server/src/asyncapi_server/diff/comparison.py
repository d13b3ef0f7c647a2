"""The comparison of two documents: what changes, whom it breaks, and the version that it needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from asyncapi_server.diff.asyncapi.documents import compare_asyncapi
from asyncapi_server.diff.changes import Change, Level, breaking, words
from asyncapi_server.diff.context import Context, TooMuchWork
from asyncapi_server.diff.deep import deeply
from asyncapi_server.diff.openapi.documents import compare_openapi
from asyncapi_server.diff.parts import Part
from asyncapi_server.diff.spec import Spec
from asyncapi_server.diff.terms import Terms
from asyncapi_server.diff.version import Version, bump, least
from asyncapi_server.errors import DocumentError
from asyncapi_server.findings import Finding, Rule

_KINDS = {"asyncapi": compare_asyncapi, "openapi": compare_openapi}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The changes of a document, and whether its version fits them."""

    old: Version
    new: Version
    changes: tuple[Change, ...]
    """Those of the highest level first."""

    @property
    def needs(self) -> Version:
        """The lowest version that the new document may have."""
        return least(self.changes, self.old)

    @property
    def is_raised(self) -> bool:
        """Whether the version is as high as all changes require."""
        return self.new >= self.needs

    @property
    def is_accepted(self) -> bool:
        """Whether nothing breaks that the version does not allow to break."""
        broken = [change for change in self.changes if change.level is Level.BREAKING]
        return not broken or self.new >= least(broken, self.old)

    @property
    def bump(self) -> str | None:
        """The part of the version that has to rise: "major", "minor", "patch" or None."""
        level = max((change.level for change in self.changes), default=None)
        return None if level is None else bump(level, self.old)


def compare(old: Spec, new: Spec, terms: Terms | None = None) -> Verdict:
    """Compare two documents.

    Raises DocumentError when a part of one cannot be read, or there is too much to compare.
    """
    context = Context(terms or Terms())
    try:
        found = deeply(lambda: _changes(old, new, context))
    except (RecursionError, TooMuchWork) as error:
        text = "it takes too much work to compare it: split it into documents of their own"
        raise DocumentError([Finding(new.root.place, text, Rule.FILE)]) from error
    return Verdict(old.version, new.version, found)


def _changes(old: Spec, new: Spec, context: Context) -> tuple[Change, ...]:
    before, after = (Part.at(spec.root, spec, context) for spec in (old, new))
    if old.kind != new.kind:
        what = f"{old.kind} becomes {new.kind}"
        return (breaking(after.place, "document", what, "it describes another protocol"),)
    found = _sorted(_KINDS[new.kind](before, after))
    if old.texts() == new.texts():  # so nothing changes, whatever cannot be proven
        return ()
    if not found:
        what = "words, examples or the way of writing"
        why = "nothing that a client does depends on it"
        return (words(after.place, "document", what, why),)
    return found


def _sorted(changes: Iterable[Change]) -> tuple[Change, ...]:
    return tuple(sorted(set(changes), key=lambda each: (-each.level, each.where, each.what)))
