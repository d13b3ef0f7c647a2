"""Generates the types and operations of the TypeScript client."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Set
from pathlib import Path
from typing import cast

from scripts.apis import REST, STREAM
from scripts.bundle import Bundle
from scripts.operations import Operation, Parameter, base_path, is_long, operations
from scripts.sdk_python import stream_address, version

PACKAGE = Path("sdk/typescript")
SOURCE = PACKAGE / "src/generated"
_JSON2TS = PACKAGE / "node_modules/.bin/json2ts"
_TYPES = {"integer": "number", "string": "string", "boolean": "boolean", "number": "Decimal"}
_DECIMAL = (
    "/** A decimal as text, exactly as the server wrote it: plain, without an exponent. */\n"
    "export type Decimal = string;\n\n"
    "/** A whole number: a bigint where a number would round it, beyond 2^53. */\n"
    "export type Integer = number | bigint;\n"
)


class NodeMissing(Exception):
    """Node or the package's tools are not installed."""


def check_tools() -> None:
    """Raise NodeMissing when the types cannot be generated here."""
    if shutil.which("node") is None or not _JSON2TS.exists():
        raise NodeMissing(f"install Node 20 or newer and run `npm ci` in {PACKAGE}")


def typescript_files(
    rest: Bundle, stream: Bundle, projection: Mapping[str, object]
) -> dict[Path, str]:
    """The text of every generated file of the TypeScript client by its path."""
    schemas = {**rest.schemas, **stream.schemas}
    return {
        SOURCE / "exact.ts": _exact(schemas, set(_payloads(projection, "send"))),
        SOURCE / "rest.ts": _rest(rest),
        SOURCE / "stream.ts": _stream(projection),
        SOURCE / "types.ts": _types(schemas, projection),
    }


def _types(schemas: Mapping[str, object], projection: Mapping[str, object]) -> str:
    """Every schema as a type, and the unions of the messages that each side sends."""
    definitions = {name: _definition(schema) for name, schema in sorted(schemas.items())}
    for name, action in (("ClientMessage", "send"), ("ServerMessage", "receive")):
        models = sorted(set(_payloads(projection, action)))
        definitions[name] = {
            "description": f"Every message that the {name.removesuffix('Message').lower()} sends.",
            "oneOf": [{"$ref": f"#/definitions/{model}"} for model in models],
        }
    # json2ts writes the reachable definitions only for a root that is no object.
    everything = [{"$ref": f"#/definitions/{name}"} for name in definitions]
    root = {"title": "Everything", "oneOf": everything, "definitions": definitions}
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "schemas.json"), Path(folder, "types.ts")
        source.write_text(json.dumps(root), "utf-8")
        run = subprocess.run(
            [
                *(str(_JSON2TS), "--input", str(source), "--output", str(target)),
                *("--ignoreMinAndMaxItems", "--additionalProperties=false"),
                "--style.printWidth=100",
                *("--bannerComment", _head(REST, STREAM) + "\n" + _DECIMAL),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode:
            raise RuntimeError(f"json2ts failed:\n{run.stderr}")
        return re.sub(r"export type Everything =[^;]*;\n", "", target.read_text("utf-8"), count=1)


def _definition(value: object) -> object:
    """A schema with references, nulls and decimals in the form of json2ts."""
    if isinstance(value, list):
        return [_definition(element) for element in value]
    if not isinstance(value, dict):
        return value
    copy = {key: _definition(member) for key, member in value.items()}
    if isinstance(reference := copy.get("$ref"), str):
        copy["$ref"] = reference.replace("#/components/schemas/", "#/definitions/")
    if _is_decimal(copy):
        copy["tsType"] = "Decimal"
    if is_long(copy):
        copy["tsType"] = "Integer"
    if copy.pop("nullable", False):
        described = {"description": copy.pop("description")} if "description" in copy else {}
        nothing = copy.get("enum") == [None]
        return (
            {**described, "type": "null"}
            if nothing
            else {
                **described,
                "anyOf": [copy, {"type": "null"}],
            }
        )
    return copy


def _exact(schemas: Mapping[str, object], sent: Set[str]) -> str:
    """The names of all members that binary floating point would round.

    The schemas in `sent` are left out: the client never reads them.
    """
    read = {name: schema for name, schema in schemas.items() if name not in sent}
    decimals = _names(schemas, read, _is_decimal)
    integers = _names(schemas, read, is_long)
    return (
        f"{_head(REST, STREAM)}\n"
        "/** The members of messages and replies that are exact decimals. */\n"
        f"export const DECIMAL_FIELDS: readonly string[] = [\n{decimals}];\n\n"
        "/** The members that are whole numbers which may be beyond 2^53. */\n"
        f"export const INTEGER_FIELDS: readonly string[] = [\n{integers}];\n"
    )


def _names(
    schemas: Mapping[str, object],
    read: Mapping[str, object],
    condition: Callable[[Mapping[str, object]], bool],
) -> str:
    """The names of the members of `read` that meet a condition; no other member may share one."""
    found: set[str] = set()
    others: set[str] = set()
    for name, schema in _members(read):
        kinds = [_resolved(schemas, schema), *_alternatives(schemas, schema)]
        (found if any(map(condition, kinds)) else others).add(name)
    if both := found & others:
        raise ValueError(f"members are exact in one place and not in another: {sorted(both)}")
    return "".join(f"  {json.dumps(name)},\n" for name in sorted(found))


def _alternatives(
    schemas: Mapping[str, object], schema: Mapping[str, object]
) -> list[Mapping[str, object]]:
    """The alternative schemas of a member, such as null."""
    listed = cast(list[Mapping[str, object]], schema.get("anyOf", []))
    return [_resolved(schemas, one) for one in listed]


def _members(value: object) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Every member of every object schema."""
    if isinstance(value, list):
        for element in value:
            yield from _members(element)
    elif isinstance(value, dict):
        if isinstance(properties := value.get("properties"), dict):
            yield from properties.items()
        for member in value.values():
            yield from _members(member)


def _resolved(schemas: Mapping[str, object], schema: Mapping[str, object]) -> Mapping[str, object]:
    while isinstance(reference := schema.get("$ref"), str):
        schema = cast(Mapping[str, object], schemas[reference.rsplit("/", 1)[1]])
    return schema


def _is_decimal(schema: Mapping[str, object]) -> bool:
    return schema.get("type") == "number" and schema.get("format") == "decimal"


def _stream(projection: Mapping[str, object]) -> str:
    """The address, and the possible replies to each request."""
    requests, replies = [], []
    for name, operation in _operations(projection):
        if operation["action"] == "send":
            requests.append(f"  {name}: {_models(projection, operation, 'channel')[0]};\n")
            reply = cast(Mapping[str, object], operation["reply"])
            replies.append(f"  {name}: {' | '.join(_models(projection, reply, 'channel'))};\n")
    unasked = sorted(
        model
        for _, operation in _operations(projection)
        if operation["action"] == "receive"
        for model in _models(projection, operation, "channel")
    )
    names = sorted({*re.findall(r"\b[A-Z]\w+", "".join(requests + replies)), *unasked})
    return (
        f"{_head(STREAM)}\n"
        f"import type {{\n{''.join(f'  {name},{chr(10)}' for name in names)}}} "
        'from "./types.js";\n\n'
        f"export const STREAM_ADDRESS = {json.dumps(stream_address(projection))};\n"
        f"export const STREAM_VERSION = {json.dumps(version(projection))};\n\n"
        "/** The request of each operation. */\n"
        f"export interface Requests {{\n{''.join(requests)}}}\n\n"
        "/** The possible replies to each request. */\n"
        f"export interface Replies {{\n{''.join(replies)}}}\n\n"
        "/** The messages that the server sends unrequested. */\n"
        f"export type Unasked = {' | '.join(unasked)};\n"
    )


def _rest(rest: Bundle) -> str:
    """A class with one method for each REST operation."""
    all_operations = [each for each in operations(rest) if each.replies]
    names = sorted({"Integer", *(operation.model for operation in all_operations)})
    return (
        f"{_head(REST)}\n"
        f"import type {{\n{''.join(f'  {name},{chr(10)}' for name in names)}}} "
        'from "./types.js";\n\n'
        f"export const REST_BASE_PATH = {json.dumps(base_path(rest))};\n"
        f"export const REST_VERSION = {json.dumps(version(rest.document))};\n\n"
        "/** The values of query parameters by name. */\n"
        "export type Query = Record<string, string | number | bigint | boolean | undefined>;\n\n"
        "/** Every operation; `call` says how they are carried. */\n"
        "export abstract class RestOperations {\n"
        "  /** Send a request; `names` are put into the path, `statuses` are no errors. */\n"
        "  protected abstract call<T>(\n    method: string,\n    path: string,\n"
        "    names: Record<string, string | number>,\n    query: Query,\n"
        "    statuses: readonly number[],\n  ): Promise<T>;\n"
        + "".join(map(_method, all_operations))
        + "}\n"
    )


def _method(operation: Operation) -> str:
    path, query = operation.placed("path"), operation.placed("query")
    arguments = [f"{p.name}: {_type(p)}" for p in path]
    if query:
        members = "".join(
            f"      /** {p.description} */\n"
            f"      {p.name}{'' if p.required else '?'}: {_type(p)};\n"
            for p in query
        )
        default = "" if any(item.required for item in query) else " = {}"
        arguments.append(f"query: {{\n{members}    }}{default}")
    words = operation.name.split("_")
    camel = words[0] + "".join(word.capitalize() for word in words[1:])
    names = f"{{ {', '.join(p.name for p in path)} }}" if path else "{}"
    signature = ",\n    ".join(arguments)
    text = "".join(f"   * @param {p.name} {p.description}\n" for p in path)
    return (
        f"\n  /**\n   * {operation.summary}.\n{'   *' + chr(10) + text if text else ''}   */\n"
        f"  {camel}({chr(10) + '    ' + signature + ',' + chr(10) + '  ' if arguments else ''})"
        f": Promise<{operation.model}> {{\n"
        f"    return this.call({json.dumps(operation.method)}, {json.dumps(operation.path)}, "
        f"{names}, {'query' if query else '{}'}, {json.dumps(list(operation.replies))});\n  }}\n"
    )


def _type(parameter: Parameter) -> str:
    types = {"integer": "Integer"} if parameter.is_long else {}
    return " | ".join({**_TYPES, **types}[each] for each in parameter.types)


def _operations(projection: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, object]]]:
    yield from cast(Mapping[str, Mapping[str, object]], projection["operations"]).items()


def _payloads(projection: Mapping[str, object], action: str) -> Iterator[str]:
    for _, operation in _operations(projection):
        if operation["action"] == action:
            yield from _models(projection, operation, "channel")
        if "reply" in operation and action == "receive":
            reply = cast(Mapping[str, object], operation["reply"])
            yield from _models(projection, reply, "channel")


def _models(projection: Mapping[str, object], value: Mapping[str, object], key: str) -> list[str]:
    """The schemas of the messages of the channel object that `value` refers to."""
    name = cast(Mapping[str, str], value[key])["$ref"].rsplit("/", 1)[1]
    channels = cast(Mapping[str, Mapping[str, Mapping[str, object]]], projection["channels"])
    components = cast(Mapping[str, Mapping[str, Mapping[str, object]]], projection["components"])
    return [
        cast(Mapping[str, str], components["messages"][message]["payload"])["$ref"].rsplit("/", 1)[
            1
        ]
        for message in channels[name]["messages"]
    ]


def _head(*sources: Path) -> str:
    names = " and ".join(source.as_posix() for source in sources)
    return f"// Generated by `make sdk` from {names}. Never edited.\n"
