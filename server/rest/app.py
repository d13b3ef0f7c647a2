"""A Connexion application built from an OpenAPI document and its handlers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from connexion import AsyncApp
from connexion.exceptions import ProblemException
from connexion.http_facts import METHODS
from connexion.middleware.response_validation import ResponseValidationMiddleware
from connexion.resolver import Resolver
from starlette.exceptions import HTTPException

from handlers.problem import ErrorForm
from ingest.core.errors import CandlecastError
from server.rest.dispatch import Dispatch, HandlerFunction, check_signature
from server.rest.negotiation import MediaTypes
from server.rest.problems import ErrorAnswers, Exceptions
from server.rest.routing import Routing
from server.rest.validation import VALIDATOR_MAP, RequestValidation, compile_operation


class HandlerMismatch(CandlecastError):
    """Handlers do not match the document; the text names each difference."""


def load_document(path: Path) -> dict[str, Any]:
    """Load an OpenAPI document from one JSON or YAML file."""
    text = path.read_text("utf-8")
    document = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    if not isinstance(document, dict):
        raise HandlerMismatch(f"{path} is not an OpenAPI document: it holds no object")
    return document


@dataclass(frozen=True, slots=True)
class RestApi:
    """The REST side of an API: its document and handlers, and the form of its errors."""

    document: Mapping[str, Any]
    handlers: Mapping[str, HandlerFunction]
    """The async function of each operationId; it takes the operation's parameters by name."""
    form: ErrorForm
    passes_unknown_parameters: bool = False
    """Whether query parameters that the document does not name are ignored."""
    used_header: str = ""
    """The header that says how many requests a client has used, where the API has one."""

    @property
    def base_paths(self) -> list[str]:
        """The path of each server of the document."""
        return [urlsplit(server["url"]).path.rstrip("/") for server in self.document["servers"]]

    @property
    def mounts(self) -> list[str]:
        """The paths below which it is asked: those of its servers, or of an API at the root the
        folders of its own paths, a path without one being its own."""
        own = [path.rpartition("/")[0] or path for path in self.document["paths"]]
        mounts = [[base] if base else own for base in self.base_paths]
        return list(dict.fromkeys(path for some in mounts for path in some))


def build_rest(api: RestApi, *, validate_responses: bool = False) -> AsyncApp:
    """Build the ASGI application that serves a bundled OpenAPI 3.0 document below each base path.

    Raises `HandlerMismatch` when a handler is missing, does not match, or has no operation.
    With `validate_responses` a reply that the document does not allow is a 500.
    """
    # Connexion's list without Swagger UI (see site/pages.py), security (handlers check their own
    # keys), lifespan (there is none) and its catch-all error handler (the bridge has ours).
    of_replies = [ResponseValidationMiddleware] if validate_responses else []
    middlewares = [Exceptions, Routing, RequestValidation, *of_replies, Dispatch]
    app = AsyncApp(__name__, middlewares=middlewares)
    answers = ErrorAnswers(api.form)
    app.add_error_handler(Exception, answers.application)
    app.add_error_handler(HTTPException, answers.http)
    app.add_error_handler(ProblemException, answers.connexion)
    for base_path in api.base_paths:
        app.add_api(
            dict(api.document),
            base_path=base_path or "/",
            name=base_path,
            resolver=Resolver(api.handlers.__getitem__),
            strict_validation=not api.passes_unknown_parameters,
            validate_responses=validate_responses,
            validator_map=VALIDATOR_MAP,
        )
    _check(app.middleware.apis[0].specification, api.handlers)
    return app


def _check(specification: Mapping[str, Any], handlers: Mapping[str, HandlerFunction]) -> None:
    wrong: list[str] = []
    known: set[str] = set()
    for path, methods in specification["paths"].items():
        if "parameters" in methods:
            wrong.append(f"{path}: write its parameters at each operation, not at the path")
        for method, operation in methods.items():
            if method not in METHODS:
                continue
            operation_id = operation.get("operationId")
            if operation_id is None:
                wrong.append(f"{method.upper()} {path} has no operationId")
                continue
            known.add(operation_id)
            wrong += _check_operation(operation_id, operation, handlers.get(operation_id))
    wrong += [f"{extra}: no operation has this id" for extra in sorted(set(handlers) - known)]
    if wrong:
        raise HandlerMismatch("Handlers do not fit the OpenAPI document:\n  " + "\n  ".join(wrong))


def _check_operation(
    operation_id: str, operation: Mapping[str, Any], handler: HandlerFunction | None
) -> list[str]:
    if handler is None:
        return [f"{operation_id}: no handler; write an async function of this name"]
    content = operation.get("requestBody", {}).get("content", {})
    try:
        parameters = compile_operation(
            operation.get("parameters", []), [media["schema"] for media in content.values()]
        )
        media_types = MediaTypes(operation["responses"], operation.get("parameters", []))
    except ValueError as error:
        return [f"{operation_id}: {error}"]
    names = parameters.names | ({"body"} if content else set())
    if media_types.argument is not None:
        names |= {media_types.argument}
    names -= {media_types.parameter}
    fault = check_signature(operation_id, handler, names)
    return [] if fault is None else [fault]
