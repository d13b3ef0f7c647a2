"""Writes `sbom.cdx.json`: what the program is made of, for tools that look for known weaknesses.

The libraries are those of `requirements.lock`, with the licences of the installed ones, and the
vendored files. The wheel has it too.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from server.site.licences import VENDORED, licence_of
from server.version import program_version

ROOT = Path(__file__).parent.parent
SBOM = ROOT / "sbom.cdx.json"
LOCK = ROOT / "requirements.lock"
READMES = (
    ROOT / "server/site/static/README.md",
    ROOT / "asyncapi-server/src/asyncapi_server/docs/static/vendor/cfworker-json-schema/README.md",
)
"""They have the versions of the vendored files."""

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""The same for the same contents: a file that is generated is compared with what is committed."""


def sbom() -> str:
    """The list in JSON of CycloneDX 1.6."""
    version = program_version()
    bom = Bom(
        serial_number=uuid.uuid5(uuid.NAMESPACE_OID, f"candlecast {version}"),
        components=[*_libraries(), *_vendored()],
    )
    bom.metadata.timestamp = _EPOCH
    bom.metadata.component = program = _component("candlecast", version, "pypi", "Apache-2.0")
    bom.register_dependency(program, bom.components)
    text = JsonV1Dot6(bom).output_as_string()
    return json.dumps(json.loads(text), indent=1, sort_keys=True) + "\n"


def _libraries() -> Iterator[Component]:
    for name, version in _PINNED.findall(LOCK.read_text("utf-8")):
        try:
            licence = licence_of(distribution(name))
        except PackageNotFoundError:
            licence = ""  # for another platform
        yield _component(name, version, "pypi", licence)


def _vendored() -> Iterator[Component]:
    texts = "\n".join(readme.read_text("utf-8") for readme in READMES)
    for name, licence, _ in VENDORED:
        found = re.search(rf"{re.escape(name)} (\d[\w.]*)", texts)
        if found is None:
            raise ValueError(f"no README of vendored files has the version of {name}")
        yield _component(name, found[1], "npm", licence)


def _component(name: str, version: str, kind: str, licence: str) -> Component:
    namespace, _, bare = name.rpartition("/")
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{kind}:{name}@{version}",
        purl=PackageURL(kind, namespace or None, bare, version),
        licenses=[LicenseFactory().make_from_string(licence)] if licence else [],
    )


def main() -> int:
    """Write the file; with --check say whether it is up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    text = sbom()
    if not parser.parse_args().check:
        SBOM.write_text(text, "utf-8")
        return 0
    if SBOM.exists() and SBOM.read_text("utf-8") == text:
        return 0
    sys.stderr.write("sbom.cdx.json is not up to date: run `make generate`\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
