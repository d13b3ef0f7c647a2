"""The APIs that `specs/` describes: one in the folder itself, and one in each folder that has an
OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

SPECS = Path("specs")
REST = SPECS / "openapi.yaml"
STREAM = SPECS / "stream.asyncapi.yaml"
NATIVE = "native"
"""The name of Candlecast's own API."""


@dataclass(frozen=True, slots=True)
class Api:
    """The documents of one API; `streams` has the AsyncAPI ones by their names."""

    name: str
    rest: Path
    streams: Mapping[str, Path]

    def bundle(self, document: Path) -> str:
        """The file name of a document's bundle."""
        name = document.with_suffix(".json").name
        return name if self.name == NATIVE else f"{self.name}.{name.removeprefix('rest.')}"


def apis(specs: Path = SPECS) -> Iterator[Api]:
    """Every API, Candlecast's own first."""
    yield _api(NATIVE, specs)
    for path in sorted(specs.glob("*/*openapi.yaml")):
        yield _api(path.parent.name, path.parent)


def _api(name: str, folder: Path) -> Api:
    (rest,) = folder.glob("*openapi.yaml")
    suffix = ".asyncapi.yaml"
    streams = sorted(folder.glob(f"*{suffix}"))
    return Api(name, rest, {path.name.removesuffix(suffix): path for path in streams})
