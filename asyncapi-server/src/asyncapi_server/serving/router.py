"""Decoding and validation of requests, encoding of replies. Pure: no socket, no clock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from asyncapi_server import jsontext
from asyncapi_server import pointer as jsonpointer
from asyncapi_server.document.contract import ChannelContract, Contract, MessageContract
from asyncapi_server.document.details import Detail, bounded, cut, schema_details
from asyncapi_server.errors import ContractError, UndocumentedMessage
from asyncapi_server.serving.application import (
    Handler,
    Model,
    check_makers,
    handlers_of,
    models_of,
)
from asyncapi_server.serving.encoding import encode as default_encode
from asyncapi_server.serving.encoding import plain
from asyncapi_server.serving.faults import ErrorPolicy, Fault, FaultKind, Refusal
from asyncapi_server.serving.handshake import Handshake, Opened
from asyncapi_server.serving.messages import Messages, Spec
from asyncapi_server.serving.nesting import MAX_DEPTH, is_too_deep
from asyncapi_server.serving.security import NOBODY, OPEN, Authenticate, gate, meets, wanted

Encoder = Callable[[object], bytes]


class Request(NamedTuple):
    """A message that met its schema, and the handler to call with it."""

    name: str
    payload: object
    """As decoded."""
    message: object
    """As built by the application's model."""
    handler: Handler
    correlation: object
    """The correlation id that the client gave, or pointer.MISSING."""


class Router:
    """Serves the messages of one address of a contract with one object of handlers."""

    def __init__(
        self,
        contract: Contract,
        address: str,
        handlers: object,
        *,
        error_reply: ErrorPolicy,
        models: Mapping[str, Model] | None = None,
        sends: object = None,
        encode: Encoder = default_encode,
        server: str | None = None,
        authenticate: Mapping[str, Authenticate] | None = None,
        enforce_security: bool = True,
        check_outgoing: bool = False,
    ) -> None:
        """Raises RouterSetupError when handlers, models or makers do not match the messages.

        `models` build the messages for handlers; those of sent messages are ignored. `sends` has a
        function for each message that the server sends unprompted.
        `server` is the name of this server; without it every message is admitted.
        `authenticate` has a function for each security scheme whose credential is in the request
        that opens a connection, by the scheme's name; without `enforce_security` none is needed,
        and every connection is admitted.
        `check_outgoing` also validates each message sent, and gives clients the reason when a
        handler breaks the document: for development and for tests.
        """
        channel = contract.channel(address)
        if server is not None and server not in contract.servers:
            raise ContractError(f"the contract has no server {server!r}")
        self.address = address
        self.handshake = Handshake(address, channel)
        """The demands on requests that open a connection."""
        self.gate = (
            gate(contract, channel, server, authenticate or {}) if enforce_security else OPEN
        )
        """The demands on the credentials of requests that open a connection."""
        self._enforces = enforce_security
        self._contract = contract
        self._server = server
        self._error_reply = error_reply
        self._encode = encode
        self.checks_sent = check_outgoing
        """Whether each message sent is validated."""
        self._received = Messages(channel.receives)
        self._sent = Messages(channel.sends)
        self._handlers = handlers_of(self._admitted(channel), handlers)
        self._models = models_of(channel, models or {})
        if sends is not None:
            check_makers(channel, sends)

    async def opened(
        self,
        path: str,
        query: Collection[tuple[str, str]],
        headers: Collection[tuple[str, str]],
        request: object,
    ) -> Opened:
        """Hold the request that opens a connection to the channel and its security; raises
        HandshakeRefused. `request` is given to the functions that authenticate."""
        parameters = self.handshake.open(path, query, headers)
        return Opened(parameters, await self.gate.open(query, headers, request))

    def receive(
        self, text: str | bytes, identities: Mapping[str, object] = NOBODY
    ) -> Request | Fault:
        """Decode, recognise and validate one message of a connection with these identities."""
        try:
            payload = jsontext.loads(text)
        except ValueError as error:
            return Fault(FaultKind.MALFORMED, f"The message is not JSON: {error}")
        if is_too_deep(text, payload):
            return Fault(FaultKind.MALFORMED, f"The message is nested deeper than {MAX_DEPTH}")
        names = self._received.identify(payload)
        if not names:
            return self._unknown(payload)
        if self._server is not None:
            handled = tuple(name for name in names if name in self._handlers)
            if not handled:
                return self._elsewhere(names[0], payload)
            names = handled
        spec = self._received.first_valid(names, payload)
        if spec is None:
            details = schema_details(self._received.specs[names[0]].validator, payload, len(text))
            return self._invalid(names[0], payload, details)
        name = spec.message.name
        security = spec.message.security
        if security and self._enforces and not meets(security, identities):
            text = f"{name!r} asks for a connection that was opened with {wanted(security)}"
            return Fault(FaultKind.UNAUTHORIZED, text, message=name, request=payload)
        model = self._models.get(name)
        message: object = payload
        if model is not None:
            try:
                message = model(payload)
            except (ValueError, TypeError) as error:
                return self._invalid(name, payload, (Detail("", cut(str(error))),))
        correlation = spec.correlation_of(payload)
        return Request(name, payload, message, self._handlers[name], correlation)

    def replies(self, request: Request, answer: object) -> list[bytes]:
        """The encoded replies in a handler's answer, which is one reply or a tuple of several.

        Raises UndocumentedMessage when one is not what the document names for the request.
        """
        allowed = self._received.specs[request.name].message.replies
        if answer is None:
            if allowed:
                raise UndocumentedMessage(
                    f"no reply to {request.name!r}: the document names {', '.join(allowed)}"
                )
            return []
        answers = answer if isinstance(answer, tuple) else (answer,)
        if not answers:
            raise UndocumentedMessage(f"an empty tuple of replies to {request.name!r}")
        return [self._reply(request, allowed, each) for each in answers]

    def error(self, fault: Fault, request: Request | None = None) -> bytes | None:
        """The application's encoded error message for a fault, correlated with its request."""
        reply = self._error_reply(fault)
        if reply is None:
            return None
        body = plain(reply)
        spec = self._sent_spec(body)
        if spec is not None and spec.correlation is not None:
            correlation = request.correlation if request else self._correlation_of(fault)
            if correlation is not jsonpointer.MISSING:
                correlated = _with(body, spec.correlation, correlation)
                # The id may itself be the invalid part of a message that failed.
                if request is not None or spec.validator.is_valid(correlated):
                    body = correlated
        if self.checks_sent:
            self._check(body, spec)
        return self._encode(body)

    def outgoing(self, message: object) -> bytes:
        """The bytes of a message that the server sends unprompted."""
        body = message if isinstance(message, bytes) else plain(message)
        if self.checks_sent:
            self.check_sent(body)
        return body if isinstance(body, bytes) else self._encode(body)

    def check_sent(self, message: object) -> None:
        """Raise UndocumentedMessage when the document does not let the server send this."""
        body = jsontext.loads(message) if isinstance(message, bytes) else message
        self._check(body, self._sent_spec(body))

    def _reply(self, request: Request, allowed: tuple[str, ...], answer: object) -> bytes:
        encoded = answer if isinstance(answer, bytes) else None
        body = jsontext.loads(encoded) if encoded is not None else plain(answer)
        spec = self._sent_spec(body, allowed)
        if spec is None or spec.message.name not in allowed:
            what = spec.message.name if spec else "an undocumented message"
            if isinstance(body, list):
                what += " (a list is one message: return several as a tuple)"
            raise UndocumentedMessage(
                f"{request.name!r} was answered by {what}; the document names "
                f"{', '.join(allowed) or 'no reply'}"
            )
        if request.correlation is not jsonpointer.MISSING and spec.correlation is not None:
            body, encoded = _with(body, spec.correlation, request.correlation), None
        if self.checks_sent:
            self._check(body, spec)
        return encoded if encoded is not None else self._encode(body)

    def _sent_spec(self, body: object, preferred: tuple[str, ...] = ()) -> Spec | None:
        """The sent message that `body` is; of several candidates, one that is preferred."""
        names: Sequence[str] = self._sent.identify(body)
        if len(names) > 1:
            names = [name for name in names if name in preferred] or names
        if len(names) < 2:
            return self._sent.specs[names[0]] if names else None
        return self._sent.first_valid(names, body) or self._sent.specs[names[0]]

    def _check(self, body: object, spec: Spec | None) -> None:
        if spec is None:
            raise UndocumentedMessage(f"no message of {self.address}: {cut(repr(body))}")
        # Validate what goes over the wire, not the objects that it was made from.
        wire = jsontext.loads(self._encode(body))
        details = schema_details(spec.validator, wire)
        if details:
            listed = "; ".join(f"{d.path or '/'}: {d.message}" for d in details)
            raise UndocumentedMessage(f"{spec.message.name!r} fails its schema: {listed}")

    def _unknown(self, payload: object) -> Fault:
        pointers = self._received.pointers
        where = f" at {' and '.join(pointers)}" if pointers else ""
        text = f"No message of this API: the constants{where} name none"
        details = bounded(self._received.differences(payload))
        return Fault(FaultKind.UNKNOWN_MESSAGE, text, details, request=payload)

    def _elsewhere(self, name: str, payload: object) -> Fault:
        names = self._received.specs[name].message.servers or ()
        addresses = tuple(self._contract.servers[server].address for server in names)
        text = f"{name!r} is not admitted on this server. Try {' or '.join(addresses)}"
        return Fault(FaultKind.WRONG_SERVER, text, message=name, request=payload, servers=addresses)

    def _invalid(self, name: str, payload: object, details: tuple[Detail, ...]) -> Fault:
        first = details[0] if details else Detail("", "it fails its schema")
        text = f"Invalid {name!r}: {first.path or 'message'}: {first.message}"
        return Fault(FaultKind.INVALID_MESSAGE, cut(text), details, message=name, request=payload)

    def _admitted(self, channel: ChannelContract) -> tuple[MessageContract, ...]:
        return tuple(
            message
            for message in channel.receives
            if self._server is None or message.servers is None or self._server in message.servers
        )

    def _correlation_of(self, fault: Fault) -> object:
        """The correlation id of a message that did not become a request."""
        specs = self._received.specs
        possible = [specs[fault.message]] if fault.message else specs.values()
        found = (spec.correlation_of(fault.request) for spec in possible)
        return next(
            (each for each in found if each is not jsonpointer.MISSING), jsonpointer.MISSING
        )


def refused(refusal: Refusal, request: Request) -> Fault:
    """The fault that reports a handler's refusal."""
    return Fault(
        FaultKind.REFUSED,
        refusal.text,
        bounded(refusal.details),
        code=refusal.code,
        message=request.name,
        request=request.payload,
    )


def _with(body: object, path: tuple[str, ...], value: object) -> object:
    """A copy of an object with a value set at a path of object members."""
    if not path:
        return value
    if not isinstance(body, dict):
        return body
    return {**body, path[0]: _with(body.get(path[0], {}), path[1:], value)}
