"""Messages as the models of this package, decimals exact."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from types import ModuleType
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin

from asyncapi_python.kernel.codec import CodecFactory
from asyncapi_python.kernel.document import Message
from pydantic import BaseModel, ValidationError

from .errors import ContractBroken

JsonObject = Mapping[str, Any]
M = TypeVar("M", bound=BaseModel)


def read(text: str | bytes) -> Any:
    """JSON with its decimals as they are written. Raises ContractBroken."""
    try:
        return json.loads(text, parse_float=Decimal)
    except ValueError as error:
        raise ContractBroken(f"The server sent what is not JSON: {error}") from None


def build(model: type[M], value: object) -> M:
    """A model of what was read. Raises ContractBroken."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise ContractBroken(f"The server sent a wrong {model.__name__}: {error}") from None


class ModelCodec(Generic[M]):
    """One message between its model and what its JSON stands for."""

    def __init__(self, model: type[M]) -> None:
        self.model = model
        self.constants = dict(_constants(model))
        """The fields by which the message is told from others."""

    def encode(self, payload: M) -> bytes:
        """JSON without the fields that were not given."""
        return payload.model_dump_json(exclude_unset=True).encode()

    def decode(self, payload: JsonObject) -> M:
        """A model of the parsed message. Raises ContractBroken."""
        return build(self.model, payload)

    def extract_field(self, payload: M, location: str) -> str:
        """A field by its place, as in `$message.payload#/request_id`; empty when not there."""
        value: object = payload
        for name in location.partition("#/")[2].split("/"):
            value = getattr(value, name, None)
        return "" if value is None else str(value)


class ModelCodecs(CodecFactory[Any, Any]):
    """Codecs for the models of a generated package.

    asyncapi-python's own codecs read decimals as binary numbers, send null for what is not set,
    and share one table of message names with every other generated package of the process.
    """

    def __init__(self, module: ModuleType) -> None:
        super().__init__(module)
        self._models: Mapping[str, type[BaseModel]] = module.MODELS

    def create(self, message: Message) -> ModelCodec[Any]:
        """The codec of a message of the document."""
        return ModelCodec(self._models[message.name or ""])


def _constants(model: type[BaseModel]) -> list[tuple[str, object]]:
    """Fields that can have one value only, with that value."""
    return [
        (name, get_args(field.annotation)[0])
        for name, field in model.model_fields.items()
        if get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1
    ]
