"""Writes `generated/` from `specs/`; the same documents always give the same bytes.

python -m scripts.generate            write what differs
python -m scripts.generate --check    write nothing, exit 1 when something differs
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from scripts.bundle import KRAKEN_PRIVATE, KRAKEN_PUBLIC, KRAKEN_REST, REST, STREAM, Bundle
from scripts.message_names import with_component_names
from scripts.models import models_source
from scripts.projection import client_projection
from scripts.python_source import docstring, head
from scripts.rest_source import rest_source
from scripts.stream_source import stream_source
from wsrouter import load_document
from wsrouter.contract import Contract
from wsrouter.errors import DocumentError

GENERATED = Path("generated")
KRAKEN = {
    "kraken.private.asyncapi.json": KRAKEN_PRIVATE,
    "kraken.public.asyncapi.json": KRAKEN_PUBLIC,
}
"""The streams of Kraken's API by the names of their bundles."""


def generate(rest: Path = REST, stream: Path = STREAM) -> dict[str, str]:
    """The text of every generated file, by its name. Raises DocumentError for faulty documents."""
    rest_bundle, stream_bundle = Bundle(rest), Bundle(stream)
    contract = Contract.from_document(load_document(stream))
    rest_name, stream_name = rest.as_posix(), stream.as_posix()
    title = docstring("What follows from the documents in `specs/`.", indent="")
    return {
        "__init__.py": f"{head(rest_name, stream_name)}{title}\n",
        "models.py": models_source(
            {**rest_bundle.schemas, **stream_bundle.schemas}, rest_name, stream_name
        ),
        "openapi.json": _json(rest_bundle.document, "x-generated-from", rest_name),
        "rest.py": rest_source(rest_bundle, rest_name),
        "stream.asyncapi.json": _json(stream_bundle.document, "x-generated-from", stream_name),
        "stream.client.asyncapi.json": _json(
            client_projection(stream_bundle), "x-generated-from", stream_name
        ),
        "stream.py": stream_source(stream_bundle, contract, stream_name),
        "stream_contract.json": _json(
            json.loads(contract.to_json()), "generated_from", stream_name
        ),
        **{
            name: _json(
                with_component_names(Bundle(path).document), "x-generated-from", path.as_posix()
            )
            for name, path in KRAKEN.items()
        },
        "kraken.openapi.json": _json(
            Bundle(KRAKEN_REST).document, "x-generated-from", KRAKEN_REST.as_posix()
        ),
    }


def differences(folder: Path, files: dict[str, str]) -> list[str]:
    """The names of files that are missing, differ or are not generated from anything."""
    present = {
        path.name: path.read_text("utf-8") for path in sorted(folder.glob("*")) if path.is_file()
    }
    names = sorted({*present, *files})
    return [name for name in names if present.get(name) != files.get(name)]


def write(folder: Path, files: dict[str, str]) -> list[str]:
    """Make the folder hold just these files; the names of those that changed."""
    folder.mkdir(exist_ok=True)
    changed = differences(folder, files)
    for name in changed:
        if name in files:
            (folder / name).write_text(files[name], "utf-8")
        else:
            (folder / name).unlink()
    return changed


def _json(document: dict[str, object], key: str, source: str) -> str:
    marked = {**document, key: f"{source}, by `make generate`. Never edited."}
    return json.dumps(marked, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Write generated/ from specs/.")
    parser.add_argument("--check", action="store_true", help="exit 1 when the tree differs")
    check = parser.parse_args().check
    try:
        files = generate()
    except DocumentError as error:
        print(error, file=sys.stderr)
        return 1
    if check:
        stale = differences(GENERATED, files)
        for name in stale:
            print(f"{GENERATED / name} differs from specs/: run `make generate`", file=sys.stderr)
        return 1 if stale else 0
    for name in write(GENERATED, files):
        print(f"{GENERATED / name} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
