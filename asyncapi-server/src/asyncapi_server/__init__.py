"""An aiohttp WebSocket router that serves an AsyncAPI document."""

from asyncapi_server.document.check import check
from asyncapi_server.document.contract import ChannelContract, Contract, MessageContract
from asyncapi_server.document.details import Detail
from asyncapi_server.document.loader import load_document
from asyncapi_server.document.model import Document
from asyncapi_server.errors import (
    AsyncApiServerError,
    ContractError,
    DocumentError,
    RouterSetupError,
    UndocumentedMessage,
)
from asyncapi_server.findings import Finding, Place, Rule, Severity
from asyncapi_server.names import argument_name, handler_name, snake_case
from asyncapi_server.serving.asgi import AsgiEndpoint
from asyncapi_server.serving.connection import Connection
from asyncapi_server.serving.encoding import encode
from asyncapi_server.serving.endpoint import Endpoint
from asyncapi_server.serving.faults import ErrorPolicy, Fault, FaultKind, Refusal
from asyncapi_server.serving.hub import Hub, Update
from asyncapi_server.serving.router import Request, Router
from asyncapi_server.serving.security import Authenticate, Credential
from asyncapi_server.serving.settings import EndpointSettings
from asyncapi_server.serving.subscriptions import First, Source, Subscriptions

__all__ = [
    "AsgiEndpoint",
    "AsyncApiServerError",
    "Authenticate",
    "ChannelContract",
    "Connection",
    "Contract",
    "ContractError",
    "Credential",
    "Detail",
    "Document",
    "DocumentError",
    "Endpoint",
    "EndpointSettings",
    "ErrorPolicy",
    "Fault",
    "FaultKind",
    "Finding",
    "First",
    "Hub",
    "MessageContract",
    "Place",
    "Refusal",
    "Request",
    "Router",
    "RouterSetupError",
    "Rule",
    "Severity",
    "Source",
    "Subscriptions",
    "UndocumentedMessage",
    "Update",
    "argument_name",
    "check",
    "encode",
    "handler_name",
    "load_document",
    "snake_case",
]
