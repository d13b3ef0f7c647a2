"""Checks all documents and prints each fault with its place; exit code 1 when there are any.

python -m scripts.check_specs
"""

from __future__ import annotations

import sys
from pathlib import Path

from asyncapi_server.document.check import check as check_asyncapi
from asyncapi_server.errors import DocumentError, Finding
from scripts.apis import REST, STREAM
from scripts.bundle import Bundle
from scripts.rest_check import check_rest, keyword_uses

KRAKEN = Path("specs/kraken")

_FOREIGN_KEYWORDS = {
    "const": "OpenAPI 3.0 does not know const, and shared schemas go there: "
    "write an enum of one value",
    "nullable": "JSON Schema passes nullable over: write anyOf with {enum: [null]}",
}


def check_stream(path: Path) -> list[Finding]:
    """The faults of the stream's document, and keywords that OpenAPI or JSON Schema lacks."""
    findings = check_asyncapi(path)
    if findings:
        return findings
    try:
        bundle = Bundle(path)
    except DocumentError as error:
        return list(error.findings)
    return sorted(
        Finding(bundle.place(use), advice)
        for keyword, advice in _FOREIGN_KEYWORDS.items()
        for use in keyword_uses(bundle.document, keyword)
    )


def check_names(rest: Path, stream: Path) -> list[Finding]:
    """Different schemas of the two documents that have the same name."""
    try:
        bundles = Bundle(rest), Bundle(stream)
    except DocumentError:
        return []  # reported by the check of the document itself
    places = [
        {name: bundle.place(("components", "schemas", name)) for name in bundle.schemas}
        for bundle in bundles
    ]
    return [
        Finding(place, f"{name!r} is also the name of {places[0][name]}: rename one")
        for name, place in places[1].items()
        if name in places[0] and places[0][name] != place
    ]


def check_kraken(folder: Path) -> list[Finding]:
    """The faults of the documents of Kraken's API, which share no files with the others."""
    streams = sorted(folder.glob("*.asyncapi.yaml"))
    found = [finding for path in streams for finding in check_asyncapi(path)]
    return [*found, *check_rest(folder / "rest.openapi.yaml")]


def main() -> int:
    """The command line."""
    findings = [*check_rest(REST), *check_stream(STREAM), *check_names(REST, STREAM)]
    findings += check_kraken(KRAKEN)
    for finding in findings:
        print(finding, file=sys.stderr)
    if not findings:
        print(f"{REST}, {STREAM} and those in {KRAKEN} are sound")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
