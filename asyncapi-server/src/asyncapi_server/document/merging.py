"""One schema for the values of two, from which values are made."""

from __future__ import annotations

from collections.abc import Mapping

from asyncapi_server import pointer as jsonpointer

MAX_CHAIN = 12
"""References that are followed one after another."""


def merged(
    one: Mapping[str, object], other: object, root: Mapping[str, object]
) -> Mapping[str, object]:
    """One schema for values of both; what cannot be merged is left to a validator.

    `root` is the self-contained schema that has both.
    """
    for _ in range(MAX_CHAIN):
        if not isinstance(other, Mapping) or not isinstance(other.get("$ref"), str):
            break
        path = jsonpointer.tokens(str(other["$ref"]).lstrip("#"))
        other = jsonpointer.lookup(root, path)
    else:
        return one
    if not isinstance(other, Mapping):
        return one if other is not False else {"enum": []}
    result = {**one, **other}
    for keyword in one.keys() & other.keys():
        mine, theirs = one[keyword], other[keyword]
        if isinstance(mine, list) and isinstance(theirs, list):
            if keyword == "required":
                result[keyword] = list(dict.fromkeys(map(str, (*mine, *theirs))))
            elif keyword in ("allOf", "examples"):
                result[keyword] = [*mine, *theirs]
        elif isinstance(mine, Mapping) and isinstance(theirs, Mapping) and keyword == "properties":
            shared = {
                name: merged(_as_object(mine[name]), theirs[name], root)
                for name in mine.keys() & theirs.keys()
            }
            result[keyword] = {**mine, **theirs, **shared}
    return result


def _as_object(schema: object) -> Mapping[str, object]:
    """A schema that may be `true` or `false`."""
    if isinstance(schema, Mapping):
        return schema
    return {} if schema is not False else {"enum": []}
