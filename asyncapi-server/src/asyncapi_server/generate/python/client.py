"""The package of a client in Python, on aiohttp and pydantic."""

from __future__ import annotations

from importlib import resources

from asyncapi_server.generate.interface import Interface
from asyncapi_server.generate.python.channel import channel_source
from asyncapi_server.generate.python.models import models_source
from asyncapi_server.generate.python.values import Values
from asyncapi_server.generate.texts import docstring, flat

_RUNTIME = ("connection.py", "errors.py", "messages.py", "opening.py", "payloads.py")
_ERRORS = ("CannotConnect", "ClientError", "ConnectionLost", "ReaderTooSlow", "Refused")


def client_files(interface: Interface) -> dict[str, str]:
    """The files of a client's package by their paths in it, with a module for each address."""
    channels = interface.channels
    shapes = [
        shape
        for channel in channels
        for shape in (
            *(request.message.shape for request in channel.requests),
            channel.query,
            channel.headers,
        )
    ]
    values = Values(shapes, interface.definitions)
    is_alone = len(channels) == 1
    clients = ["Client", "connect"] if is_alone else []
    title = f"A client of {flat(interface.title) or 'a document'}."
    runtime = resources.files(__package__) / "runtime"
    return {
        "__init__.py": (
            f"{docstring(title, '')}\n"
            + ("from .client import Client, connect\n" if is_alone else "")
            + f"from .errors import {', '.join(_ERRORS)}\n\n"
            f"__all__ = {sorted((*_ERRORS, *clients))!r}\n"
        ),
        **{name: runtime.joinpath(name).read_text("utf-8") for name in _RUNTIME},
        "models.py": models_source(interface.definitions, interface.types),
        **({"values.py": values.source()} if values.names else {}),
        **{
            f"{'client' if is_alone else channel.module}.py": channel_source(
                channel, interface, values
            )
            for channel in channels
        },
    }
