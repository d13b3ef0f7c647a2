"""Messages as the models of this package, with exact decimals."""

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
    """Parse JSON with exact decimals. Raises ContractBroken."""
    try:
        return json.loads(text, parse_float=Decimal)
    except ValueError as error:
        raise ContractBroken(f"The server sent invalid JSON: {error}") from None


def build(model: type[M], value: object) -> M:
    """Validate a parsed value as a model. Raises ContractBroken."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise ContractBroken(f"The server sent an invalid {model.__name__}: {error}") from None


class ModelCodec(Generic[M]):
    """Encodes the model of one message, and decodes its parsed JSON."""

    def __init__(self, model: type[M]) -> None:
        self.model = model
        self.constants = dict(_constants(model))
        """The constant fields that distinguish the message from others."""

    def encode(self, payload: M) -> bytes:
        """The message as JSON, without unset fields."""
        return payload.model_dump_json(exclude_unset=True).encode()

    def decode(self, payload: JsonObject) -> M:
        """The model of a parsed message. Raises ContractBroken."""
        return build(self.model, payload)

    def extract_field(self, payload: M, location: str) -> str:
        """The field at a location such as `$message.payload#/request_id`; empty when absent."""
        value: object = payload
        for name in location.partition("#/")[2].split("/"):
            value = getattr(value, name, None)
        return "" if value is None else str(value)


class ModelCodecs(CodecFactory[Any, Any]):
    """Codecs for the models of a generated package.

    asyncapi-python's own codecs read decimals as floats, send null for unset fields, and share
    one table of message names among all generated packages of the process.
    """

    def __init__(self, module: ModuleType) -> None:
        super().__init__(module)
        self._models: Mapping[str, type[BaseModel]] = module.MODELS

    def create(self, message: Message) -> ModelCodec[Any]:
        """The codec of a message of the document."""
        return ModelCodec(self._models[message.name or ""])


def _constants(model: type[BaseModel]) -> list[tuple[str, object]]:
    """The fields that have a single possible value, with that value."""
    return [
        (name, get_args(field.annotation)[0])
        for name, field in model.model_fields.items()
        if get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1
    ]
