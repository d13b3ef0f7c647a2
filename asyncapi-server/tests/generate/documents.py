"""The documents from which servers and clients are generated: all that can be served."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from asyncapi_server import DocumentError
from asyncapi_server.generate.interface import Interface
from asyncapi_server.generate.interpreter import read_interface
from support.rooms import CASES, DOCUMENTS

SUITE = DOCUMENTS / "suite"
INPUTS = Path(__file__).with_name("inputs")
"""Documents for the generators alone."""
ENDLESS = "22-endless-file.yaml"
"""A link to a file without an end."""


class Case(NamedTuple):
    """A document, and whom it describes."""

    path: Path
    as_client: bool = False

    @property
    def key(self) -> str:
        """A name for the packages made of it."""
        path = self.path.with_suffix("").relative_to(self.path.parents[1])
        return "from_" + re.sub(r"\W", "_", path.as_posix())

    def interface(self) -> Interface:
        return read_interface(self.path, as_client=self.as_client)


def _cases() -> Iterator[Case]:
    yield from map(Case, sorted(INPUTS.iterdir()))
    yield from map(Case, sorted(DOCUMENTS.glob("*.yaml")))
    expected: dict[str, dict[str, Any]] = yaml.safe_load((SUITE / "expected.yaml").read_text())
    for name, each in expected.items():
        yield Case(SUITE / name, each.get("as") == "client")
    for path in sorted(CASES.iterdir()) if CASES.is_dir() else ():
        if path.suffix in (".json", ".yaml") and path.name != ENDLESS:
            yield Case(path, "client" in path.name)


def _is_served(case: Case) -> bool:
    try:
        case.interface()
    except DocumentError:
        return False
    return True


SERVED = list(filter(_is_served, _cases()))
"""Every document that can be read."""

each_document = pytest.mark.parametrize("case", SERVED, ids=lambda case: case.key)
