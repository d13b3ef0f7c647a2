"""Writes `generated/` from `specs/`, deterministically.

python -m scripts.generate            write what differs
python -m scripts.generate --check    write nothing, exit 1 when something differs
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import cast

from asyncapi_server.errors import DocumentError
from scripts.apis import NATIVE, SPECS, Api, apis
from scripts.bundle import Bundle, Object
from scripts.encoders_source import Encoders, NotEncodable
from scripts.facts_source import enumerations_of, facts_source
from scripts.message_names import with_component_names
from scripts.models import modelled, models_source
from scripts.operations import operations
from scripts.projection import client_projection
from scripts.python_source import docstring, head
from scripts.rest_source import reply_source, rest_source
from scripts.stream_source import Stream
from scripts.tree import differences, write

GENERATED = Path("generated")


def generate(specs: Path = SPECS, folder: Path = GENERATED) -> dict[Path, str]:
    """The text of every file of a folder. Raises DocumentError or NotEncodable for faulty ones."""
    title = docstring("Code generated from the documents in `specs/`.", indent="")
    files = {
        "__init__.py": f"{head(specs.as_posix() + '/')}{title}\n",
        "reply.py": reply_source(specs.as_posix() + "/"),
    }
    for api in apis(specs):
        files |= _of_api(api)
    return {folder / name: text for name, text in files.items()}


def _of_api(api: Api) -> dict[str, str]:
    """The files generated from the documents of one API: its package and a bundle of each."""
    package = f"generated.{api.name}"
    rest = Bundle(api.rest)
    streams = [Stream(name, path) for name, path in api.streams.items()]
    bundles = [rest, *(stream.bundle for stream in streams)]
    schemas = {name: schema for bundle in bundles for name, schema in bundle.schemas.items()}
    sources = [api.rest.as_posix(), *(path.as_posix() for path in api.streams.values())]
    models = modelled(schemas)
    encoders = _encoders(rest, streams)
    title = docstring(f"Code generated from the documents of the API {api.name!r}.", indent="")
    files = {
        "__init__.py": f"{head(*sources)}{title}\n",
        "encoders.py": encoders.source(package, *sources),
        "facts.py": facts_source(schemas, encoders.rows, *sources),
        "models.py": models_source(
            models, *sources, facts=f"{package}.facts", enumerations=enumerations_of(models)
        ),
        "rest.py": rest_source(rest, package, api.rest.as_posix()),
    }
    whole = {api.bundle(api.rest): _json(rest.document, "x-generated-from", api.rest)}
    for stream in streams:
        name, document = stream.name, stream.bundle.document
        files[f"{name}.py"] = stream.source(models, package)
        compiled = json.loads(stream.contract.to_json())
        files[f"{name}_contract.json"] = _json(compiled, "generated_from", stream.path)
        if api.name == NATIVE:
            client = client_projection(stream.bundle)
            whole[f"{name}.client.asyncapi.json"] = _json(client, "x-generated-from", stream.path)
        else:
            document = with_component_names(document)
        whole[api.bundle(stream.path)] = _json(document, "x-generated-from", stream.path)
    return {**{f"{api.name}/{name}": text for name, text in files.items()}, **whole}


def _encoders(rest: Bundle, streams: Sequence[Stream]) -> Encoders:
    """Encoders of unrequested messages, of pages with their rows, and of columns of numbers."""
    encoders = Encoders()
    known: dict[str, Object] = {}
    for stream in streams:
        for name, payload in stream.sent():
            if known.get(name) != payload:
                known[name] = payload
                encoders.add_message(name, stream.bundle, payload)
    for reply in [*_pages(rest), *_columns(rest)]:
        encoders.add_message(reply, rest, cast(Object, rest.schemas[reply]))
    return encoders


def _pages(rest: Bundle) -> list[str]:
    """The schemas of the replies that are also available as tables."""
    return sorted({each.model for each in operations(rest) if each.has_choice})


def _columns(rest: Bundle) -> list[str]:
    """The schemas of objects with arrays of numbers."""
    return sorted(
        name
        for name, schema in cast(Mapping[str, Object], rest.schemas).items()
        if any(map(partial(_is_column, rest), cast(Object, schema.get("properties", {})).values()))
    )


def _is_column(rest: Bundle, member: object) -> bool:
    items = cast(Object, member).get("items")
    return isinstance(items, dict) and rest.resolved(items).get("type") == "number"


def _json(document: dict[str, object], key: str, source: Path) -> str:
    marked = {**document, key: f"{source.as_posix()}, by `make generate`. Never edited."}
    return json.dumps(marked, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Write generated/ from specs/.")
    parser.add_argument("--check", action="store_true", help="exit 1 when the tree differs")
    check = parser.parse_args().check
    try:
        files = generate()
    except (DocumentError, NotEncodable) as error:
        print(error, file=sys.stderr)
        return 1
    if check:
        stale = differences([GENERATED], files)
        for path in stale:
            print(f"{path} differs from specs/: run `make generate`", file=sys.stderr)
        return 1 if stale else 0
    for path in write([GENERATED], files):
        print(f"{path} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
