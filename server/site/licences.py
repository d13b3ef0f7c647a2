"""The installed libraries and their licences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
_CLASSIFIER = "License :: OSI Approved :: "
MAX_LICENCE_CHARS = 60
"""A longer text is a full licence, not its name."""

VENDORED = (
    ("lightweight-charts", "Apache-2.0", "the charts of the console, by TradingView"),
    ("swagger-ui-dist", "Apache-2.0", "the page at /docs"),
    ("redoc", "MIT", "the page at /redoc"),
    ("@cfworker/json-schema", "MIT", "the console of the stream pages"),
)
"""The files vendored in server/site/static and in asyncapi-server; their READMEs have versions and
checksums."""


@dataclass(frozen=True, slots=True)
class Library:
    """An installed library."""

    name: str
    version: str
    licence: str
    summary: str


def libraries(lock: Path) -> list[Library]:
    """The installed libraries that a requirements file pins."""
    names = _PINNED.findall(lock.read_text("utf-8")) if lock.exists() else []
    return sorted(_installed(names), key=lambda library: library.name.lower())


def _installed(names: list[str]) -> Iterator[Library]:
    for name in dict.fromkeys(names):
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # for another platform
        summary = _said(found, "Summary")
        yield Library(found.metadata["Name"], found.version, licence_of(found), summary)


def licence_of(found: Distribution) -> str:
    """The name of the licence of an installed library."""
    for name in ("License-Expression", "License"):
        said = _said(found, name)
        if said and len(said) <= MAX_LICENCE_CHARS and "\n" not in said and said != "UNKNOWN":
            return said
    classifiers = found.metadata.get_all("Classifier") or []
    named = [c.removeprefix(_CLASSIFIER) for c in classifiers if c.startswith(_CLASSIFIER)]
    return ", ".join(named) or _title_of_file(found) or "see its package"


def _title_of_file(found: Distribution) -> str:
    """The first line of the licence that comes with a library; "" without one."""
    file = _said(found, "License-File")
    text = found.read_text(f"licenses/{file}") if file else None
    return (text or "").strip().partition("\n")[0][:MAX_LICENCE_CHARS]


def _said(found: Distribution, name: str) -> str:
    """The first value of a metadata field; "" without one."""
    values = found.metadata.get_all(name) or [""]
    return str(values[0]).strip()
