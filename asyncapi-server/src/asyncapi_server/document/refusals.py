"""Messages that refuse: AsyncAPI has no word for them, so their names have to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


def names_error(name: str) -> bool:
    """Whether a name is that of an error."""
    return "error" in name.lower()


def may_refuse(name: str, schema: Mapping[str, object]) -> bool:
    """Whether a message can report a failure: by its name, a property or a constant."""
    return names_error(name) or any(map(names_error, _words(schema)))


def refuses(name: str, payload: object) -> bool:
    """Whether a payload reports an error: by its message's name, a member or a constant."""
    if names_error(name):
        return True
    members = payload.items() if isinstance(payload, dict) else ()
    return any((names_error(key) and bool(value)) or value == "error" for key, value in members)


def _words(schema: object) -> Iterator[str]:
    """The names of properties and the text constants anywhere in a schema."""
    if isinstance(schema, list):
        for element in schema:
            yield from _words(element)
    if not isinstance(schema, dict):
        return
    for keyword, value in schema.items():
        if keyword in ("properties", "definitions") and isinstance(value, dict):
            if keyword == "properties":
                yield from value
            for child in value.values():
                yield from _words(child)
        elif keyword in ("const", "enum"):
            constants = value if isinstance(value, list) else [value]
            yield from (constant for constant in constants if isinstance(constant, str))
        else:
            yield from _words(value)
