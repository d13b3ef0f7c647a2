"""Compares the documents with those of the last release and asks for the right version.

python -m scripts.compat                  with the last release tag
python -m scripts.compat --base v1.2.0    with this tag
python -m scripts.compat --against DIR    with the documents of a folder

Exit code 1: a document changed more than its `info.version` says. Exit code 2: no comparison.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from scripts.bundle import SPECS
from scripts.compat.changes import Change, Level
from scripts.compat.documents import Verdict, accepted, judge, read_tree
from wsrouter import DocumentError

RELEASE_TAGS = "v[0-9]*"
MAX_PLACES = 5
"""Places of one and the same change that are printed."""
_WORDS = {Level.BREAKING: "BREAKING", Level.COMPATIBLE: "compatible", Level.WORDS: "words"}


class CompatError(Exception):
    """There is nothing to compare with; the text says what to do."""


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m scripts.compat", description=__doc__)
    parser.add_argument("--specs", type=Path, default=SPECS, help="the documents to judge")
    base = parser.add_mutually_exclusive_group()
    base.add_argument("--base", help="the tag to compare with, instead of the last release's")
    base.add_argument("--against", type=Path, help="a folder of documents to compare with")
    options = parser.parse_args(arguments)
    try:
        if options.against is not None:
            return _report(options.against, options.specs, str(options.against))
        tag = options.base or last_release()
        if tag is None:
            print(f"There is no release yet (no tag {RELEASE_TAGS}): nothing to compare with")
            return 0
        with tempfile.TemporaryDirectory() as folder:
            checkout(tag, Path(folder))
            return _report(Path(folder) / SPECS, options.specs, tag)
    except (CompatError, DocumentError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2


def last_release() -> str | None:
    """The newest release tag that the working tree comes from; None when there is none.

    Raises CompatError when the history is cut, so that its absence says nothing.
    """
    found = _git("describe", "--tags", "--abbrev=0", f"--match={RELEASE_TAGS}", check=False)
    if found.returncode == 0:
        return found.stdout.decode().strip()
    if _git("rev-parse", "--is-shallow-repository").stdout.strip() == b"true":
        raise CompatError("The history is cut and holds no release: `git fetch --unshallow --tags`")
    return None


def checkout(tag: str, folder: Path) -> None:
    """Write the documents as they were at a tag. Raises CompatError for an unknown tag."""
    archive = _git("archive", "--format=tar", tag, str(SPECS), check=False)
    if archive.returncode:
        reason = archive.stderr.decode(errors="replace").strip()
        raise CompatError(f"{tag} has no {SPECS}/ to compare with: {reason}")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")


def _git(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", *arguments], capture_output=True, check=check)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CompatError(f"git {arguments[0]} failed: {error}") from error


def _report(old: Path, new: Path, base: str) -> int:
    verdicts = judge(read_tree(old), read_tree(new))
    for verdict in verdicts:
        for line in _lines(verdict, base):
            print(line)
    if accepted(verdicts):
        return 0
    print(
        "A version is too low for what changed: raise it, or take the change back", file=sys.stderr
    )
    return 1


def _lines(verdict: Verdict, base: str) -> Iterator[str]:
    if verdict.old is None:
        yield f"{verdict.name} is new since {base}"
        return
    if not verdict.changes:
        yield f"{verdict.name} {verdict.new}: no change since {base}"
        return
    yield f"{verdict.name}, {verdict.old} at {base}, {verdict.new or 'gone'} now:"
    yield from _changes(verdict.changes)
    if verdict.needs is None:
        yield "  asks for a new major version of another document"
    elif verdict.holds:
        yield f"  {verdict.new} is enough: these changes ask for a {verdict.part} version"
    else:
        yield f"  asks for a {verdict.part} version: set info.version to {verdict.needs} or above"


def _changes(changes: Iterable[Change]) -> Iterator[str]:
    """What a shared schema changes in many places is told once, with the first of them."""
    places: dict[tuple[Level, str, str], list[str]] = {}
    for change in changes:
        places.setdefault((change.level, change.what, change.why), []).append(change.place)
    for (level, what, why), where in places.items():
        yield f"  {_WORDS[level]}: {what}"
        yield f"    why: {why}"
        yield from (f"    at {place}" for place in where[:MAX_PLACES])
        if len(where) > MAX_PLACES:
            yield f"    and at {len(where) - MAX_PLACES} more places"


if __name__ == "__main__":
    sys.exit(main())
