"""Content negotiation: picks a media type of an operation by the `Accept` header."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_QUALITY = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.ASCII)


class NotAcceptable(Exception):
    """The client accepts none of the available media types."""

    def __init__(self, media_types: Sequence[str]) -> None:
        super().__init__(f"Accept names none of {', '.join(media_types)}; ask for one of them")


def negotiate(media_types: Sequence[str], accept: Iterable[bytes]) -> str:
    """The preferred media type; the first one among equals or without an `Accept` header.

    Raises `NotAcceptable`. A malformed range is ignored.
    """
    ranges = _ranges(b",".join(accept).decode("latin-1"))
    if not ranges:
        return media_types[0]
    qualities = [_quality(media_type, ranges) for media_type in media_types]
    best = max(qualities)
    if best == 0:
        raise NotAcceptable(media_types)
    return media_types[qualities.index(best)]


def _ranges(accept: str) -> dict[str, float]:
    """The quality of each named media range."""
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
