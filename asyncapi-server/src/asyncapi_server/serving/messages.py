"""The messages of one direction of a channel, ready to be recognised and validated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from asyncapi_server import jsontext
from asyncapi_server import pointer as jsonpointer
from asyncapi_server.document.contract import MessageContract
from asyncapi_server.document.details import Detail, cut
from asyncapi_server.document.discriminator import Discriminator
from asyncapi_server.document.signature import signature
from asyncapi_server.jsontext import json_type
from asyncapi_server.validation import validator


class Spec:
    """A message of the contract with its compiled validator and correlation path."""

    __slots__ = ("correlation", "message", "validator")

    def __init__(self, message: MessageContract) -> None:
        self.message = message
        self.validator = validator(message.schema)
        pointer = message.correlation
        self.correlation = None if pointer is None else jsonpointer.tokens(pointer)

    def correlation_of(self, payload: object) -> object:
        """The correlation id in a payload, or pointer.MISSING."""
        if self.correlation is None:
            return jsonpointer.MISSING
        return jsonpointer.lookup(payload, self.correlation)


class Messages:
    """The messages of one direction."""

    def __init__(self, messages: Iterable[MessageContract]) -> None:
        self.specs: Mapping[str, Spec] = {message.name: Spec(message) for message in messages}
        """Each by its name."""
        self._discriminator = Discriminator(
            {name: signature(spec.message.schema) for name, spec in self.specs.items()}
        )
        self.identify = self._discriminator.identify
        """The names of those that a value may be, in the document's order."""

    @property
    def pointers(self) -> tuple[str, ...]:
        """The places whose constants distinguish the messages."""
        return self._discriminator.pointers

    def first_valid(self, names: Iterable[str], payload: object) -> Spec | None:
        """The first of some messages that admits a payload."""
        for name in names:
            if self.specs[name].validator.is_valid(payload):
                return self.specs[name]
        return None

    def differences(self, payload: object) -> Iterator[Detail]:
        """What a payload that is none of the messages has at the places that distinguish them."""
        for pointer in self.pointers:
            found = jsonpointer.lookup(payload, jsonpointer.tokens(pointer))
            says = "is missing" if found is jsonpointer.MISSING else f"is {_short(found)}"
            yield Detail(pointer, f"{says}; known: {self._known(pointer)}")

    def _known(self, pointer: str) -> str:
        """The constants of the messages at a place."""
        values = [
            repr(value)
            for spec in self.specs.values()
            for constant in spec.message.constants
            if constant.pointer == pointer
            for value in constant.values
        ]
        return cut(", ".join(dict.fromkeys(values)))


def _short(value: object) -> str:
    """A value for a message to the client: scalars in full, the rest by type."""
    if json_type(value) in ("array", "object"):
        return f"an {json_type(value)}"
    return cut(jsontext.dumps(value).decode())
