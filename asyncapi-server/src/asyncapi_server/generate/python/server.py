"""The package of a server: its contract, models, handlers, and makers of what it sends."""

from __future__ import annotations

from asyncapi_server.generate.interface import ChannelType, Interface
from asyncapi_server.generate.python.formatting import FUTURE
from asyncapi_server.generate.python.handlers import handlers_source
from asyncapi_server.generate.python.models import models_source
from asyncapi_server.generate.python.sends import sends_source
from asyncapi_server.generate.python.values import Values
from asyncapi_server.generate.texts import docstring, flat

_CONTRACT = f'''"""What a router needs of the document."""
{FUTURE}
from importlib import resources
from typing import Final
from asyncapi_server import Contract

CONTRACT: Final = Contract.from_json(
    resources.files(__package__).joinpath("contract.json").read_bytes()
)
'''


def server_files(interface: Interface) -> dict[str, str]:
    """The files of a server's package by their paths in it.

    Each of several addresses has a package in it.
    """
    alone = [message.shape for channel in interface.channels for message in channel.alone]
    values = Values(alone, interface.definitions, number="float | Decimal")
    sources = {
        "contract.py": _CONTRACT,
        "models.py": models_source(interface.definitions, interface.types),
        **({"values.py": values.source()} if values.names else {}),
    }
    if len(interface.channels) == 1:
        sources |= _channel(interface.channels[0], values, ".")
    else:
        title = flat(interface.title) or "a document"
        sources["__init__.py"] = (
            f"{docstring(f'The server of {title}.', '')}\n"
            'from .contract import CONTRACT\n\n__all__ = ["CONTRACT"]\n'
        )
        for channel in interface.channels:
            for name, text in _channel(channel, values, "..").items():
                sources[f"{channel.module}/{name}"] = text
    return {"contract.json": interface.contract.to_json().decode(), **sources}


def _channel(channel: ChannelType, values: Values, above: str) -> dict[str, str]:
    """The modules of a channel; `above` leads to the package of the server."""
    return {
        "__init__.py": (
            f"{docstring(f'The server of `{flat(channel.address)}`.', '')}\n"
            f"from {above}contract import CONTRACT\nfrom . import sends\n"
            "from .handlers import ADDRESS, MODELS, Handlers\nfrom .sends import Sends\n\n"
            '__all__ = ["ADDRESS", "CONTRACT", "MODELS", "Handlers", "Sends", "sends"]\n'
        ),
        "handlers.py": handlers_source(channel, f"{above}models"),
        "sends.py": sends_source(channel, values, f"{above}values"),
    }
