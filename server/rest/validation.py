"""Validators on jsonschema-rs, compiled once, that replace Connexion's by its `validator_map`.

Connexion compiles definitions that never change on each request. These cache the result by the
identity of the definition, which they keep alive. Validated values are stored in the scope for the
handler.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from functools import partial
from typing import Any, Generic, TypeVar

import jsonschema_rs
import orjson
from connexion.datastructures import MediaTypeDict
from connexion.middleware.request_validation import (
    RequestValidationAPI,
    RequestValidationMiddleware,
    RequestValidationOperation,
)
from connexion.operations import AbstractOperation
from connexion.validators import AbstractRequestBodyValidator, AbstractResponseBodyValidator
from starlette.types import ASGIApp, Receive, Scope, Send

from generated.reply import JSON
from handlers.problem import Detail
from server.rest.parameters import ParameterError, Parameters
from server.rest.schema import compile_schema, faults

PARAMETERS = "candlecast.parameters"
BODY = "candlecast.body"
"""Keys of the handler's arguments in `scope["extensions"]`."""

Definition = TypeVar("Definition")
Compiled = TypeVar("Compiled")


class NonConformingReply(Exception):
    """A reply of this server breaks the document."""


class _Compiled(Generic[Definition, Compiled]):
    """A cache of compiled definitions."""

    def __init__(self, compile_one: Callable[[Definition], Compiled]) -> None:
        self._compile = compile_one
        self._kept: dict[int, tuple[Definition, Compiled]] = {}

    def __call__(self, definition: Definition) -> Compiled:
        kept = self._kept.get(id(definition))
        if kept is None:
            kept = self._kept[id(definition)] = (definition, self._compile(definition))
        return kept[1]


_parameters: _Compiled[list[Mapping[str, Any]], Parameters] = _Compiled(Parameters)
_lenient: _Compiled[list[Mapping[str, Any]], Parameters] = _Compiled(
    partial(Parameters, passes_unknown=True)
)
_NO_PARAMETERS = {True: Parameters(()), False: Parameters((), passes_unknown=True)}
"""By whether unknown parameters are refused. Connexion passes a new list of none each time."""
_schemas: _Compiled[Mapping[str, Any], jsonschema_rs.Draft4Validator] = _Compiled(compile_schema)


def compile_operation(
    definitions: list[Mapping[str, Any]], body_schemas: list[Mapping[str, Any]]
) -> Parameters:
    """Compile before the first request, so that an unusable definition fails at startup.

    Raises ValueError.
    """
    for schema in body_schemas:
        _schemas(schema)
    return _parameters(definitions)


class ParameterValidator:
    """Parses and validates the parameters of one request."""

    def __init__(
        self, parameters: list[Mapping[str, Any]], strict_validation: bool, **_options: Any
    ) -> None:
        if not parameters:
            self._parameters = _NO_PARAMETERS[strict_validation]
        else:
            self._parameters = (_parameters if strict_validation else _lenient)(parameters)

    def validate(self, scope: Scope) -> None:
        """Raises `ParameterError`."""
        scope["extensions"][PARAMETERS] = self._parameters.read(
            scope["path_params"], scope["query_string"], scope["headers"]
        )


class JsonBodyValidator(AbstractRequestBodyValidator):  # type: ignore[misc]  # connexion has no types
    """Parses and validates the JSON body of one request."""

    async def _parse(self, stream: AsyncGenerator[bytes, None], scope: Scope) -> Any:
        content = b"".join([part async for part in stream])
        if not content:
            return None
        try:
            body = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise ParameterError([Detail("body", f"not JSON in UTF-8: {error}")]) from None
        scope["extensions"][BODY] = body
        return body

    def _validate(self, body: Any) -> None:
        if body is None and not self._required:
            return
        if found := faults(_schemas(self._schema), body, "body"):
            raise ParameterError(found)


class JsonReplyValidator(AbstractResponseBodyValidator):  # type: ignore[misc]  # connexion has no types
    """Validates the server's JSON replies against the document, in tests."""

    def _parse(self, stream: Generator[bytes, None, None]) -> Any:
        return orjson.loads(b"".join(stream))

    def _validate(self, body: Any) -> None:
        if not self._schema:
            raise NonConformingReply("the document has no schema for a reply of this status")
        if found := faults(_schemas(self._schema), body, "reply"):
            raise NonConformingReply("; ".join(f"{one.field}: {one.message}" for one in found))


VALIDATOR_MAP = {
    "parameter": ParameterValidator,
    "body": MediaTypeDict({JSON: JsonBodyValidator}),
    "response": MediaTypeDict({JSON: JsonReplyValidator}),
}


class _WithoutBody:
    """An operation that takes no body: its parameters are all that there is to validate."""

    def __init__(self, next_app: ASGIApp, validator: ParameterValidator) -> None:
        self._next_app = next_app
        self._validator = validator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._validator.validate(scope)
        await self._next_app(scope, receive, send)


class _ValidationApi(RequestValidationAPI):  # type: ignore[misc]  # connexion has no types
    def make_operation(
        self, operation: AbstractOperation
    ) -> RequestValidationOperation | _WithoutBody:
        if operation.request_body:
            return super().make_operation(operation)
        validator = ParameterValidator(operation.parameters, self.strict_validation)
        return _WithoutBody(self.next_app, validator)


class RequestValidation(RequestValidationMiddleware):  # type: ignore[misc]  # connexion has no types
    """Validates requests: Connexion's way where there is a body, else the parameters alone.

    Connexion makes its parsers and validators anew for each request.
    """

    api_cls = _ValidationApi
