"""The parameters in an address, such as `{room}`, and those that its channel describes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from asyncapi_server.document.source import DanglingReference, Node
from asyncapi_server.findings import Finding, Rule

_PARAMETER = re.compile(r"\{([^{}]*)\}")


def named(address: str) -> list[str]:
    """The names of the parameters of an address: "/rooms/{room}" -> ["room"]."""
    return _PARAMETER.findall(address)


def disagreements(root: Node) -> Iterator[Finding]:
    """Parameters that only an address has, or only its description: of channels and servers."""
    version = root.text("asyncapi") or ""
    for key, node in _members(root, "channels"):
        address = key if version < "3" else node.text("address")
        if address is not None:
            yield from _compare(node, address, "parameters", "address")
    for _, node in _members(root, "servers"):
        parts = [node.text(part) for part in ("url", "host", "pathname")]
        yield from _compare(node, "".join(part or "" for part in parts), "variables", "server")


def _members(root: Node, kind: str) -> Iterator[tuple[str, Node]]:
    for key, node in root.items_of(kind):
        try:
            yield key, node.follow()
        except DanglingReference:
            continue  # reported apart


def _compare(node: Node, address: str, kind: str, what: str) -> Iterator[Finding]:
    described = node.raw(kind)
    names = dict(described.items()) if described is not None else {}
    for name in dict.fromkeys(named(address)):
        if name not in names:
            text = f"the {what} {address!r} has {{{name}}}, and {kind} does not describe it"
            yield Finding((described or node).place, text, Rule.PARAMETER)
    for name, parameter in names.items():
        if name not in named(address):
            text = f"the {what} {address!r} has no {{{name}}}"
            yield Finding(parameter.place, text, Rule.PARAMETER)
