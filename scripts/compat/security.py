"""Credentials that two OpenAPI documents ask for, whatever their schemes are called."""

from __future__ import annotations

from collections.abc import Iterator

from scripts.compat.changes import Change, breaking, compatible
from scripts.compat.parts import Part, canonical

Alternative = dict[str, frozenset[str]]
"""What one request needs: scopes by scheme, a scheme as canonical text."""
_WORDS = ("description", "bearerFormat")


def compare_security(
    place: str, old: list[Alternative], new: list[Alternative]
) -> Iterator[Change]:
    """The change of what is asked for: every alternative of before has to be enough now."""
    if all(any(_enough(one, two) for two in new) for one in old):
        if not all(any(_enough(two, one) for one in old) for two in new):
            yield compatible(
                place, "fewer or other credentials are enough", "those of before may still be sent"
            )
    else:
        why = "requests with the credentials that were asked for before may be refused"
        yield breaking(place, "other credentials are asked for", why)


def alternatives(document: Part, holder: Part) -> list[Alternative]:
    """What an operation asks for, by itself or by its document."""
    asked = holder if "security" in holder else document
    components = document.get("components")
    schemes = {} if components is None else components.members("securitySchemes")
    found = [
        {
            _scheme(schemes.get(name), name): frozenset(map(str, scopes))
            for name, scopes in requirement.fields.items()
            if isinstance(scopes, list)
        }
        for requirement in asked.elements("security")
    ]
    return found or [{}]


def _enough(held: Alternative, asked: Alternative) -> bool:
    return all(scheme in held and scopes <= held[scheme] for scheme, scopes in asked.items())


def _scheme(scheme: Part | None, name: str) -> str:
    if scheme is None:
        return name
    fields = {key: value for key, value in scheme.fields.items() if key not in _WORDS}
    # Names of headers and of HTTP's schemes have no case.
    folded = ["scheme", *(["name"] if fields.get("in") == "header" else [])]
    fields.update((key, str(fields[key]).lower()) for key in folded if key in fields)
    return canonical({**fields, "beside": scheme.beside})
