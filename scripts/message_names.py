"""Renames the messages in the channels of a bundled AsyncAPI document to those of `components`.

asyncapi-python names classes by the messages of channels. A channel that names `subscribePrivate`
as `subscribe` gives it the class of the schema `Subscribe`, or a missing class.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

_COMPONENTS = "#/components/messages/"


def with_component_names(document: dict[str, object]) -> dict[str, object]:
    """A copy of the document with the messages of its channels renamed."""
    channels = cast(Mapping[str, Mapping[str, object]], document["channels"])
    names: dict[str, str] = {}
    renamed: dict[str, object] = {}
    for channel, value in channels.items():
        messages = cast(Mapping[str, Mapping[str, str]], value.get("messages", {}))
        of_component = {
            name: message.get("$ref", name).removeprefix(_COMPONENTS)
            for name, message in messages.items()
        }
        start = f"#/channels/{channel}/messages/"
        names |= {start + name: start + component for name, component in of_component.items()}
        moved = {of_component[name]: message for name, message in messages.items()}
        renamed[channel] = {**value, "messages": moved}
    return cast(dict[str, object], _referring({**document, "channels": renamed}, names))


def _referring(value: object, names: Mapping[str, str]) -> object:
    """A copy of the value with its references renamed."""
    if isinstance(value, list):
        return [_referring(element, names) for element in value]
    if not isinstance(value, dict):
        return value
    copy = {key: _referring(member, names) for key, member in value.items()}
    reference = copy.get("$ref")
    if isinstance(reference, str):
        copy["$ref"] = names.get(reference, reference)
    return copy
