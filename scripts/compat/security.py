"""Compares the credentials that two OpenAPI documents require, regardless of scheme names."""

from __future__ import annotations

from collections.abc import Iterator

from scripts.compat.changes import Change, breaking, compatible
from scripts.compat.parts import Part, canonical

Alternative = dict[str, frozenset[str]]
"""The credentials of a request: scopes by scheme, a scheme as canonical text."""
_WORDS = ("description", "bearerFormat")


def compare_security(
    place: str, old: list[Alternative], new: list[Alternative]
) -> Iterator[Change]:
    """The change of the required credentials: every old alternative must still be enough."""
    if all(any(_enough(one, two) for two in new) for one in old):
        if not all(any(_enough(two, one) for one in old) for two in new):
            yield compatible(
                place, "fewer or other credentials are enough", "the old ones may still be sent"
            )
    else:
        why = "requests with the old credentials may be refused"
        yield breaking(place, "other credentials are asked for", why)


def alternatives(document: Part, holder: Part) -> list[Alternative]:
    """The credentials that an operation, or else its document, requires."""
    asked = holder if "security" in holder else document
    components = document.get("components")
    schemes = {} if components is None else components.members("securitySchemes")
    found = [
        {
            _scheme(schemes.get(name), name): _scopes(scopes)
            for name, scopes in requirement.fields.items()
        }
        for requirement in asked.elements("security")
    ]
    return found or [{}]


def _enough(held: Alternative, asked: Alternative) -> bool:
    return all(scheme in held and scopes <= held[scheme] for scheme, scopes in asked.items())


def _scopes(scopes: object) -> frozenset[str]:
    """The scopes of a requirement; anything but a list counts as one scope, never as none."""
    listed = scopes if isinstance(scopes, list) else [canonical(scopes)]
    return frozenset(map(str, listed))


def _scheme(scheme: Part | None, name: str) -> str:
    if scheme is None:
        return name
    fields = {key: value for key, value in scheme.fields.items() if key not in _WORDS}
    # Names of headers and HTTP schemes are case-insensitive.
    folded = ["scheme", *(["name"] if fields.get("in") == "header" else [])]
    fields.update((key, str(fields[key]).lower()) for key in folded if key in fields)
    return canonical({**fields, "beside": scheme.beside})
