"""Single changes of a document at every place that clients may depend on."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from random import Random
from typing import Any

from asyncapi_server.pointer import lookup

Way = tuple[str, ...]

ANNOTATIONS = {
    *("description", "summary", "title", "example", "examples", "externalDocs"),
    *("x-enum-varnames", "x-facts", "x-several-replies"),
}
NAMES = {
    "paths", "responses", "headers", "content", "properties", "patternProperties", "definitions",
    "servers", "variables", "channels", "messages", "operations", "links", "callbacks",
    "parameters", "dependencies", "securitySchemes", "scopes", "availableScopes",
}  # fmt: skip
"""Keys whose members have free names, where an annotation's name has no meaning."""
REFERENCES = {"x-response", "messages", "channel"}
"""Keys of AsyncAPI below which a reference is the identity of a message or channel."""


def places(document: Any) -> Iterator[Way]:
    """Every place except annotations, the version, and parts that only people read."""
    yield from _places(document, (), names=False)


def _places(value: Any, path: Way, *, names: bool) -> Iterator[Way]:
    if path in {("info",), ("tags",)}:
        return
    yield path
    if isinstance(value, list):
        for index, element in enumerate(value):
            yield from _places(element, (*path, str(index)), names=False)
    elif isinstance(value, dict):
        for key, member in value.items():
            if key in ANNOTATIONS and not names:
                continue
            below = key in NAMES and not names and isinstance(member, dict)
            inside = path == ("components",)
            yield from _places(member, (*path, key), names=below or inside)


def delete(document: Any, path: Way) -> Any:
    """The document without one value."""
    changed, holder, key = _holder(document, path)
    del holder[key]
    return changed


def replace(document: Any, path: Way) -> Any:
    """The document with another scalar at a place; None when there is no scalar."""
    changed, holder, key = _holder(document, path)
    old = holder[key]
    if isinstance(old, (dict, list)):
        return None
    if isinstance(old, bool):
        holder[key] = not old
    elif isinstance(old, (int, float)):
        holder[key] = old + 1
    else:
        holder[key] = f"{old}x" if isinstance(old, str) else "x"
    return changed


def add(document: Any, path: Way) -> Any:
    """The document with an unknown key in an object; None when there is no object."""
    changed = copy.deepcopy(document)
    target = lookup(changed, path)
    if not isinstance(target, dict):
        return None
    target["x-unknown"] = {"type": "string"}
    return changed


MUTATIONS = (delete, replace, add)


def rewritten(document: Any, choice: Random) -> Any:
    """The same document, written in another way: keys in another order, references moved."""
    schemas = list(document["components"]["schemas"])
    moved = {f"#/components/schemas/{n}": f"#/components/schemas/{n}_moved" for n in schemas}
    kept = set(choice.sample(schemas, len(schemas) // 2))

    def copied(value: Any, path: Way) -> Any:
        if isinstance(value, list):
            return [copied(element, (*path, str(i))) for i, element in enumerate(value)]
        if not isinstance(value, dict):
            return value
        target = value.get("$ref")
        in_a_schema = {"payload", "schema"} & set(path) and not REFERENCES & set(path)
        if isinstance(target, str) and target in moved:
            if in_a_schema and len(value) == 1 and choice.random() < 0.2:
                return copied(lookup(document, target[2:].split("/")), path)
            if target.rpartition("/")[2] not in kept:
                return {**value, "$ref": moved[target]}
            return value
        keys = choice.sample(list(value), len(value)) if path else list(value)
        if path == ("components", "schemas"):
            return {
                key if key in kept else f"{key}_moved": copied(value[key], (*path, key))
                for key in keys
            }
        return {key: copied(value[key], (*path, key)) for key in keys}

    return copied(document, ())


def _holder(document: Any, path: Way) -> tuple[Any, Any, Any]:
    changed = copy.deepcopy(document)
    holder: Any = lookup(changed, path[:-1])
    return changed, holder, int(path[-1]) if isinstance(holder, list) else path[-1]
