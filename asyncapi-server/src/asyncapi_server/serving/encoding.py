"""JSON encoding of the messages that handlers return: exact decimals, no configuration."""

from __future__ import annotations

from collections.abc import Mapping

from asyncapi_server import jsontext


def plain(message: object) -> object:
    """A message as plain containers: models are dumped with only the fields that were set."""
    if isinstance(message, dict):
        return message
    dump = getattr(message, "model_dump", None)
    if callable(dump):
        return dump(by_alias=True, exclude_unset=True)
    return dict(message) if isinstance(message, Mapping) else message


def encode(message: object) -> bytes:
    """A message as JSON; a Decimal becomes a number with exactly its digits."""
    return jsontext.dumps(plain(message))
