"""An aiohttp WebSocket router that serves an AsyncAPI document."""

from .check import check
from .connection import Connection
from .contract import ChannelContract, Contract, MessageContract
from .document import Document
from .encoding import encode
from .endpoint import Endpoint
from .errors import (
    ContractError,
    DocumentError,
    Finding,
    Place,
    Refusal,
    RouterSetupError,
    UndocumentedMessage,
    WsRouterError,
)
from .fanout import Hub, Update
from .faults import Detail, ErrorPolicy, Fault, FaultKind
from .loader import load_document
from .names import handler_name, snake_case
from .router import Request, Router
from .settings import EndpointSettings
from .subscriptions import First, Source, Subscriptions

__all__ = [
    "ChannelContract",
    "Connection",
    "Contract",
    "ContractError",
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
    "Source",
    "Subscriptions",
    "UndocumentedMessage",
    "Update",
    "WsRouterError",
    "check",
    "encode",
    "handler_name",
    "load_document",
    "snake_case",
]
