"""Compares the credentials that are asked for, whatever their schemes are called.

Names of schemes, descriptions, and the form in which the documents list them are not on the wire.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from asyncapi_server.diff.parts import Part
from asyncapi_server.diff.values import canonical

_WORDS = ("description", "bearerFormat", "scopes")
_SCOPES = ("availableScopes", "scopes")
"""The keys of a flow with the scopes that it offers, in AsyncAPI 3 and elsewhere."""


@dataclass(frozen=True, slots=True)
class Scopes:
    """The scopes of a credential."""

    needed: frozenset[str]
    offered: frozenset[str]
    """Those that its flows offer."""


Alternative = Mapping[str, Scopes]
"""The credentials of a request: scopes by scheme, a scheme as canonical text."""


def holds(old: list[Alternative], new: list[Alternative]) -> bool:
    """Whether each alternative that was enough before still is."""
    return all(any(_enough(one, two) for two in new) for one in old)


def listed(holder: Part, schemes: Mapping[str, Part]) -> list[Alternative]:
    """The alternatives of a `security` array, of which one is enough.

    Its elements have schemes by name, or are schemes themselves, as in AsyncAPI 3.
    """
    found: list[Alternative] = [
        dict([_scheme(element)])
        if isinstance(element.literal("type"), str)
        else dict(_named(element, schemes))
        for element in holder.elements("security")
    ]
    return found or [{}]


def schemes_of(document: Part) -> dict[str, Part]:
    """The security schemes of a document, by name."""
    components = document.get("components")
    return {} if components is None else components.members("securitySchemes")


def _enough(held: Alternative, asked: Alternative) -> bool:
    return all(
        scheme in held
        and scopes.needed <= held[scheme].needed
        and scopes.offered >= held[scheme].offered
        for scheme, scopes in asked.items()
    )


def _named(requirement: Part, schemes: Mapping[str, Part]) -> Iterator[tuple[str, Scopes]]:
    for name, scopes in requirement.fields.items():
        if name in schemes:
            text, known = _scheme(schemes[name])
            yield text, Scopes(_texts(scopes), known.offered)
        else:
            yield name, Scopes(_texts(scopes), frozenset())


def _scheme(scheme: Part) -> tuple[str, Scopes]:
    """A scheme as text, and its scopes."""
    fields = {key: value for key, value in scheme.fields.items() if key not in _WORDS}
    # Names of headers and HTTP schemes are case-insensitive.
    folded = ["scheme", *(["name"] if fields.get("in") == "header" else [])]
    fields.update((key, str(fields[key]).lower()) for key in folded if key in fields)
    flows = fields.get("flows")
    if isinstance(flows, dict):
        fields["flows"] = {name: _without_scopes(flow) for name, flow in flows.items()}
    text = canonical({**fields, "beside": scheme.beside})
    return text, Scopes(_texts(scheme.literal("scopes", [])), frozenset(_offered(flows)))


def _without_scopes(flow: object) -> object:
    if not isinstance(flow, dict):
        return flow
    return {key: value for key, value in flow.items() if key not in _SCOPES}


def _offered(flows: object) -> Iterator[str]:
    """The scopes of each flow."""
    for name, flow in flows.items() if isinstance(flows, dict) else ():
        for key in _SCOPES:
            scopes = flow.get(key) if isinstance(flow, dict) else None
            if isinstance(scopes, dict):
                yield from (f"{name} {scope}" for scope in scopes)


def _texts(scopes: object) -> frozenset[str]:
    """The scopes of a requirement; anything but a list counts as one scope, never as none."""
    listed = scopes if isinstance(scopes, list) else [canonical(scopes)]
    return frozenset(map(str, listed))
