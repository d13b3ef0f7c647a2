"""The objects that an application gives to a router, held to the messages of its channel."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from asyncapi_server.document.contract import ChannelContract, MessageContract
from asyncapi_server.errors import RouterSetupError
from asyncapi_server.names import handler_name, snake_case

Handler = Callable[[Any, Any], Awaitable[object]]
"""Called with the connection and the message."""
Model = Callable[..., object]
"""Builds a message from its payload."""


def handlers_of(messages: Iterable[MessageContract], handlers: object) -> dict[str, Handler]:
    """The handler of each message, by its name; raises RouterSetupError when one has none, or when
    a handler has no message."""
    wanted = {handler_name(message.name): message.name for message in messages}
    offered = {name for name in dir(handlers) if name.startswith("on_")}
    offered = {name for name in offered if callable(getattr(handlers, name))}
    faults = [
        f"the message {wanted[name]!r} has no handler {name!r}"
        for name in wanted
        if name not in offered
    ]
    faults += [f"the handler {name!r} has no message" for name in sorted(offered - set(wanted))]
    if faults:
        raise RouterSetupError(f"{type(handlers).__name__}: " + "; ".join(faults))
    return {message: getattr(handlers, name) for name, message in wanted.items()}


def check_makers(channel: ChannelContract, sends: object) -> None:
    """Raise RouterSetupError when a message that is sent unprompted has no function."""
    faults = [
        f"the message {message!r} has no function {snake_case(message)!r} that makes it"
        for message in channel.sent_alone
        if not callable(getattr(sends, snake_case(message), None))
    ]
    if faults:
        raise RouterSetupError(f"{getattr(sends, '__name__', sends)}: " + "; ".join(faults))


def models_of(channel: ChannelContract, models: Mapping[str, Model]) -> dict[str, Model]:
    """The models of received messages; raises RouterSetupError when one has no message."""
    received = {message.name for message in channel.receives}
    unknown = sorted(set(models) - received - {message.name for message in channel.sends})
    if unknown:
        raise RouterSetupError(f"models for no message: {', '.join(unknown)}")
    return {
        name: getattr(model, "model_validate", model)
        for name, model in models.items()
        if name in received
    }
