"""One name for a message in the channels of a bundled AsyncAPI document: that of its component.

asyncapi-python names classes by the messages of channels. A channel that calls `subscribePrivate`
by the name `subscribe` gives it the class of the schema `Subscribe`, or a class that is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

_COMPONENTS = "#/components/messages/"


def with_component_names(document: dict[str, object]) -> dict[str, object]:
    """The document with the messages of its channels renamed; the given one stays as it is."""
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
    """The value with its references led to the new names."""
    if isinstance(value, list):
        return [_referring(element, names) for element in value]
    if not isinstance(value, dict):
        return value
    copy = {key: _referring(member, names) for key, member in value.items()}
    reference = copy.get("$ref")
    if isinstance(reference, str):
        copy["$ref"] = names.get(reference, reference)
    return copy
