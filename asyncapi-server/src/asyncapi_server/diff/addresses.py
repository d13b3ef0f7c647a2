"""Addresses of servers with variables, as the addresses that clients may use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from math import prod

from asyncapi_server.diff.changes import Change
from asyncapi_server.diff.parts import Part
from asyncapi_server.diff.rules import Rule, annotation, compare_objects, elsewhere
from asyncapi_server.diff.values import canonical

MAX_ADDRESSES = 1000
"""Addresses of one server; one with more counts as one address, as it is written."""
_VARIABLE_NAME = re.compile(r"\{([^{}]*)\}")
_VARIABLE: dict[str, Rule] = {
    **dict.fromkeys(("default", "enum"), elsewhere),
    **dict.fromkeys(("description", "examples"), annotation),
}


def addresses(template: str, variables: Mapping[str, Part]) -> set[str]:
    """Every address; a variable that may have any value stays a variable."""
    choices = {
        name: [str(value.value) for value in variables[name].elements("enum")]
        if "enum" in variables[name]
        else [f"{{{name}}}"]
        for name in _VARIABLE_NAME.findall(template)
        if name in variables
    }
    if prod(map(len, choices.values())) > MAX_ADDRESSES:
        return {f"{template} {canonical(choices)}"}
    return {
        filled(template, dict(zip(choices, values, strict=True)))
        for values in product(*choices.values())
    }


def default_address(template: str, variables: Mapping[str, Part]) -> str:
    """The address with the defaults of its variables; one without a default stays a variable."""
    defaults = {
        name: str(variable.literal("default"))
        for name, variable in variables.items()
        if "default" in variable
    }
    return filled(template, defaults)


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with values in place of its variables."""
    return _VARIABLE_NAME.sub(lambda match: values.get(match[1], match[0]), template)


def compare_variables(where: str, old: Part, new: Part) -> Iterator[Change]:
    """The changes of the variables that two servers have, except their values."""
    mine, theirs = old.members("variables"), new.members("variables")
    for name in mine.keys() & theirs.keys():
        yield from compare_objects(where, mine[name], theirs[name], _VARIABLE)
