"""Checks all documents and prints each fault with its place; exit code 1 when there are any.

python -m scripts.check_specs
"""

from __future__ import annotations

import sys
from pathlib import Path

from asyncapi_server.document.check import check as check_asyncapi
from asyncapi_server.document.loader import load_document
from asyncapi_server.document.messages import X_RESPONSE
from asyncapi_server.errors import DocumentError
from asyncapi_server.findings import Finding, Place, Rule
from scripts.apis import NATIVE, SPECS, Api, apis
from scripts.bundle import Bundle
from scripts.rest_check import check_rest, keyword_uses

_FOREIGN_KEYWORDS = {
    "const": "OpenAPI 3.0 does not know const, and shared schemas go there: "
    "write an enum of one value",
    "nullable": "JSON Schema passes nullable over: write anyOf with {enum: [null]}",
}


def check_stream(path: Path) -> list[Finding]:
    """The faults of the stream's document, and keywords that OpenAPI or JSON Schema lacks."""
    findings = check_messages(path)
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


def check_messages(path: Path) -> list[Finding]:
    """The faults of an AsyncAPI document, advice included, and requests without x-response."""
    findings = check_asyncapi(path)
    if any(finding.rule is not Rule.AMBIGUOUS for finding in findings):
        return findings
    return findings + [
        Finding(message.place, f"{message.name!r} is a request without {X_RESPONSE}")
        for channel in load_document(path).channels.values()
        for message in channel.receives
        if message.x_response is None
    ]


def check_foreign(path: Path) -> list[Finding]:
    """The same of a protocol that others have made: its messages are as alike as they are."""
    return [each for each in check_messages(path) if each.rule is not Rule.AMBIGUOUS]


def check_names(*paths: Path) -> list[Finding]:
    """Different schemas of the documents of one API that have the same name."""
    try:
        bundles = [Bundle(path) for path in paths]
    except DocumentError:
        return []  # reported by the check of the document itself
    findings: set[Finding] = set()
    known: dict[str, Place] = {}
    for bundle in bundles:
        for name in bundle.schemas:
            place = bundle.place(("components", "schemas", name))
            if known.setdefault(name, place) != place:
                text = f"{name!r} is also the name of {known[name]}: rename one"
                findings.add(Finding(place, text))
    return sorted(findings)


def check_api(api: Api) -> list[Finding]:
    """The faults of the documents of an API."""
    streams = list(api.streams.values())
    check = check_stream if api.name == NATIVE else check_foreign
    found = [finding for path in streams for finding in check(path)]
    return [*check_rest(api.rest), *found, *check_names(api.rest, *streams)]


def main() -> int:
    """The command line."""
    findings = [finding for api in apis() for finding in check_api(api)]
    for finding in findings:
        print(finding, file=sys.stderr)
    if not findings:
        print(f"The documents in {SPECS} are sound")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
