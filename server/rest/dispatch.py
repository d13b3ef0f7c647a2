"""The last step of a request: calls the handler of its operation and sends the reply."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import msgspec
from connexion.middleware.abstract import RoutedAPI, RoutedMiddleware
from connexion.operations import AbstractOperation
from pydantic import BaseModel
from starlette.types import ASGIApp, Receive, Scope, Send

from generated.reply import File, Raw
from server.rest.codings import COMPRESSED_TYPES
from server.rest.files import send_file
from server.rest.negotiation import MediaTypes
from server.rest.problems import RETRY_AFTER_S
from server.rest.validation import BODY, PARAMETERS

Reply = BaseModel | Raw | File | tuple[BaseModel, int]
"""The return value of a handler: a model of the contract, encoded bytes, or a model and a status.
Errors are raised, not returned."""

HandlerFunction = Callable[..., Awaitable[Reply]]

_encoder = msgspec.json.Encoder()


def encode(reply: BaseModel | Raw | tuple[BaseModel, int]) -> tuple[Raw, int]:
    """The encoded reply and its status.

    Decimals become JSON numbers with all their digits and without an exponent.
    """
    if isinstance(reply, Raw):
        return reply, 200
    model, status = reply if isinstance(reply, tuple) else (reply, 200)
    plain = _with_digits(model.model_dump(by_alias=True, exclude_unset=True))
    return Raw(_encoder.encode(plain)), status


def _with_digits(value: object) -> object:
    """A value whose decimals are texts of JSON."""
    match value:
        case Decimal():
            return msgspec.Raw(f"{value:f}".encode())
        case dict():
            return {name: _with_digits(member) for name, member in value.items()}
        case list():
            return [_with_digits(member) for member in value]
    return value


class _Operation:
    """One operation of the document, with its handler."""

    def __init__(self, operation: AbstractOperation) -> None:
        self._handler: HandlerFunction = operation.function
        self._takes_body = bool(operation.request_body)
        self._media_types = MediaTypes(operation.responses, operation.parameters)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        arguments: dict[str, Any] = scope["extensions"][PARAMETERS]
        if self._takes_body:
            arguments["body"] = scope["extensions"].get(BODY)
        headers = []
        varies = []
        if self._media_types.argument is not None and self._media_types.choose(
            arguments, scope["headers"]
        ):
            varies.append(b"accept")
        reply = await self._handler(**arguments)
        if isinstance(reply, File):
            await send_file(reply, scope, receive, send)
            return
        raw, status = encode(reply)
        if status == 503:
            headers.append((b"retry-after", b"%d" % RETRY_AFTER_S))
        if raw.media_type in COMPRESSED_TYPES:
            varies.append(b"accept-encoding")
        if varies:
            headers.append((b"vary", b", ".join(varies)))
        headers.append((b"content-type", raw.media_type.encode("latin-1")))
        headers += [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in raw.headers.items()
        ]
        if isinstance(raw.body, bytes):
            headers.append((b"content-length", b"%d" % len(raw.body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if not isinstance(raw.body, bytes):
            async for piece in raw.body:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        last = raw.body if isinstance(raw.body, bytes) else b""
        await send({"type": "http.response.body", "body": last})


class _OperationApi(RoutedAPI[_Operation]):  # type: ignore[misc]  # connexion has no types
    def __init__(self, *args: Any, next_app: ASGIApp, **kwargs: Any) -> None:
        super().__init__(*args, next_app=next_app, **kwargs)
        self.add_paths()

    def make_operation(self, operation: AbstractOperation) -> _Operation:
        return _Operation(operation)


class Dispatch(RoutedMiddleware[_OperationApi]):  # type: ignore[misc]  # connexion has no types
    """Calls the handlers; replaces Connexion's endpoints.

    Those inspect the handler's signature and convert its arguments on every request.
    """

    api_cls = _OperationApi


def check_signature(operation_id: str, function: HandlerFunction, names: set[str]) -> str | None:
    """The reason a function cannot take the arguments of its operation, or None."""
    if not inspect.iscoroutinefunction(function):
        return f"{operation_id}: its handler has to be an async function"
    try:
        inspect.signature(function).bind(**dict.fromkeys(names))
    except TypeError as error:
        return f"{operation_id}({', '.join(sorted(names))}): {error}"
    return None
