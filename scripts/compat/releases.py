"""The documents of the last release, and the breaking changes since then that a review accepted.

```
releases/1.0.0/         specs/ as of release 1.0.0: the base, which every clone has
releases/accepted.yaml  accepted breaking changes, each with its reason
```
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import msgspec

from asyncapi_server.diff import Change, Level, Version, least
from asyncapi_server.diff.changes import compatible
from asyncapi_server.findings import Place
from scripts.apis import SPECS
from scripts.compat.documents import Verdict, accepted, judge, read_tree

RELEASES = Path("releases")
_ACCEPTED = "accepted.yaml"
_HEAD = """\
# Changes since the last release that break by the rules of `make compat` and were accepted in a
# review, because no client can have relied on what they take away. Each entry has the name of the
# `document`, the `change` and its `places` as `make compat` prints them, and the `reason`. An entry
# that fits no change is refused. `make release` empties the list.
"""


class ReleaseError(Exception):
    """There is no base, the list of accepted changes is wrong, or a release is refused."""


class Acceptance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One accepted change."""

    document: str
    change: str
    places: list[str]
    reason: Annotated[str, msgspec.Meta(min_length=1)]


@dataclass(frozen=True, slots=True)
class Base:
    """The last release."""

    version: Version
    folder: Path
    accepted: tuple[Acceptance, ...]

    @classmethod
    def find(cls, releases: Path = RELEASES) -> Base:
        """The single release in the folder. Raises ReleaseError."""
        folders = [path for path in releases.glob("*") if path.is_dir()]
        if len(folders) != 1:
            names = ", ".join(sorted(path.name for path in folders)) or "none"
            raise ReleaseError(
                f"{releases}/ must contain the documents of one release, it has: {names}"
            )
        file = releases / _ACCEPTED
        try:
            entries = msgspec.yaml.decode(file.read_bytes() or b"[]", type=list[Acceptance] | None)
        except (OSError, msgspec.MsgspecError) as error:
            raise ReleaseError(f"{file} is no list of accepted changes: {error}") from error
        return cls(Version.parse(folders[0].name), folders[0], tuple(entries or ()))

    def verdicts(self, specs: Path = SPECS) -> list[Verdict]:
        """A verdict on each document, with the accepted changes. Raises ReleaseError."""
        return _with_acceptances(judge(read_tree(self.folder), read_tree(specs)), self.accepted)


def release(version: Version, *, specs: Path = SPECS, releases: Path = RELEASES) -> Path:
    """Make the documents the new base. Raises ReleaseError when a version is too low."""
    base = Base.find(releases)
    verdicts = base.verdicts(specs)
    if not accepted(verdicts):
        raise ReleaseError(
            "A document changed more than its own version allows: `make compat` has the details"
        )
    lowest = max(least(_all(verdicts), base.version), _next_patch(base.version))
    if version < lowest:
        raise ReleaseError(
            f"{version} is too low after {base.version}: these documents ask for {lowest} or above"
        )
    folder = releases / str(version)
    shutil.copytree(specs, folder)
    shutil.rmtree(base.folder)
    (releases / _ACCEPTED).write_text(f"{_HEAD}[]\n", "utf-8")
    return folder


def _next_patch(version: Version) -> Version:
    return version._replace(patch=version.patch + 1)


def _all(verdicts: Iterable[Verdict]) -> list[Change]:
    """All changes of a release; a new document counts as a compatible one."""
    found: list[Change] = []
    for verdict in verdicts:
        found += verdict.changes
        if verdict.old is None:
            place = Place(verdict.name, 0, "")
            found.append(compatible(place, "document", "the document is new", "nobody uses it"))
    return found


def _with_acceptances(
    verdicts: list[Verdict], acceptances: tuple[Acceptance, ...]
) -> list[Verdict]:
    reasons = {
        (each.document, place, each.change): each.reason
        for each in acceptances
        for place in each.places
    }
    met = set()
    result = []
    for verdict in verdicts:
        changes = []
        for change in verdict.changes:
            key = (verdict.name, change.where, change.what)
            if key in reasons and change.level is Level.BREAKING:
                met.add(key)
                why = f"accepted: {reasons[key]}"
                change = replace(change, level=Level.COMPATIBLE, why=why, breaks=frozenset())
            changes.append(change)
        result.append(replace(verdict, changes=tuple(changes)))
    for document, place, what in reasons.keys() - met:
        raise ReleaseError(f"accepted, but no breaking change of {document}: {what} at {place}")
    return result
