"""Content negotiation: picks a media type of an operation, by a parameter or `Accept`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from asyncapi_server import snake_case
from generated.reply import JSON

_CHOOSES = "x-media-types"
"""The member of a query parameter that has the media type of each of its values."""
_ARGUMENT = "media_type"
_QUALITY = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.ASCII)


class NotAcceptable(Exception):
    """The client accepts none of the available media types."""

    def __init__(self, media_types: Sequence[str]) -> None:
        super().__init__(f"Accept names none of {', '.join(media_types)}; ask for one of them")


class MediaTypes:
    """The media types of an operation's successful replies, and how a request chooses one.

    Raises ValueError for a parameter that chooses a type that there is not.
    """

    def __init__(
        self, responses: Mapping[str, Any], parameters: Sequence[Mapping[str, Any]]
    ) -> None:
        types: dict[str, None] = {}
        for status, response in responses.items():
            if status.startswith("2"):
                types |= dict.fromkeys(response.get("content", ()))
        self._types = tuple(sorted(types, key=lambda name: name != JSON))
        self.argument = _ARGUMENT if len(types) > 1 and JSON in types else None
        """The handler's argument with the chosen one, where there is a choice."""
        self.parameter: str | None = None
        """The argument of the parameter that chooses, which the handler does not get."""
        self._of_value: Mapping[str, str] = {}
        for parameter in parameters:
            if _CHOOSES in parameter:
                self.parameter = snake_case(parameter["name"])
                self._of_value = parameter[_CHOOSES]
                values, chosen = parameter["schema"]["enum"], self._of_value
                if set(values) != chosen.keys() or not types.keys() >= set(chosen.values()):
                    raise ValueError(f"{_CHOOSES} has a media type of a reply for each value")

    def choose(self, arguments: dict[str, Any], headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Put the chosen type into the arguments of a handler; returns whether `Accept` chose it.

        Raises `NotAcceptable`.
        """
        value = arguments.pop(self.parameter, None) if self.parameter is not None else None
        if value is not None:
            arguments[_ARGUMENT] = self._of_value[value]
            return False
        accept = (given for name, given in headers if name == b"accept")
        arguments[_ARGUMENT] = negotiate(self._types, accept)
        return True


def negotiate(media_types: Sequence[str], accept: Iterable[bytes]) -> str:
    """The preferred media type; the first one among equals or without an `Accept` header.

    Raises `NotAcceptable`. A malformed range is ignored.
    """
    ranges = qualities(b",".join(accept).decode("latin-1"))
    if not ranges:
        return media_types[0]
    found = [_quality(media_type, ranges) for media_type in media_types]
    best = max(found)
    if best == 0:
        raise NotAcceptable(media_types)
    return media_types[found.index(best)]


def qualities(accept: str) -> dict[str, float]:
    """The quality of each range or coding that an `Accept` or `Accept-Encoding` names."""
    ranges = {}
    for part in accept.lower().split(","):
        name, *parameters = (item.strip() for item in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                understood = _QUALITY.fullmatch(value.strip())
                quality = float(value) if understood else 0.0
        if name:
            ranges[name] = quality
    return ranges


def _quality(media_type: str, ranges: dict[str, float]) -> float:
    """The quality by the most specific matching range (RFC 9110)."""
    for name in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        if name in ranges:
            return ranges[name]
    return 0.0
