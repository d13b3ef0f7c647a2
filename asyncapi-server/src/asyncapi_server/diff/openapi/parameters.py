"""Compares the parameters of operations, and how their values are written.

A new optional parameter accepts more, since a request may have carried no such parameter before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from asyncapi_server.diff.changes import Change, Side, breaking
from asyncapi_server.diff.openapi.shared import content, deprecated, new_input, required, schema
from asyncapi_server.diff.parts import Part
from asyncapi_server.diff.rules import Rule, annotation, compare_objects, elsewhere
from asyncapi_server.diff.values import equal

IGNORED_PARAMETERS = frozenset({"accept", "authorization", "content-type"})
"""Headers that OpenAPI describes at other places, and ignores as parameters."""
_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}


def compare_parameters(
    where: str, old: Mapping[str, Part], new: Mapping[str, Part], holder: Part
) -> Iterator[Change]:
    """The changes of an operation's parameters, by their kind and name."""
    for key in dict.fromkeys((*old, *new)):
        before, after = old.get(key), new.get(key)
        at = f"{where} {key}"
        if before is None and after is not None:
            yield new_input(at, "the parameter", after)
        elif after is None:
            why = "requests that carry it are refused or mean something else now"
            yield breaking(holder.place, at, "the parameter is gone", why, Side.SENDERS)
        elif before is not None:
            yield from compare_objects(at, before, after, _PARAMETER)


def style(where: str, old: Part, new: Part) -> Iterator[Change]:
    """The rule for how a value is written, with the defaults of OpenAPI filled in."""
    before, after = _written(old), _written(new)
    for keyword in before:
        if not equal(before[keyword], after[keyword]):
            step = f"{keyword} {before[keyword]} becomes {after[keyword]}"
            yield breaking(new.place, where, step, "the same value is written in another way")


def _written(holder: Part) -> dict[str, object]:
    style = holder.literal("style", _STYLES.get(str(holder.literal("in", "header"))))
    return {
        "style": style,
        "explode": holder.literal("explode", style == "form"),
        "allowReserved": holder.literal("allowReserved", False),
        "allowEmptyValue": holder.literal("allowEmptyValue", False),
    }


DESCRIBED: dict[str, Rule] = {
    **dict.fromkeys(("description", "example", "examples"), annotation),
    **dict.fromkeys(("style", "explode", "allowReserved", "allowEmptyValue"), style),
    "deprecated": deprecated,
}
"""The rules for parameters and headers alike."""
_PARAMETER: dict[str, Rule] = {
    **DESCRIBED,
    **dict.fromkeys(("name", "in"), elsewhere),
    "required": required,
    "schema": schema(Side.SENDERS),
    "content": content(Side.SENDERS),
}
