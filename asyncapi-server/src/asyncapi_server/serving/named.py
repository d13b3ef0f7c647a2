"""Handlers that a command line names: MODULE:CLASS, or ADDRESS=MODULE:CLASS."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Iterable

from asyncapi_server.errors import RouterSetupError
from asyncapi_server.serving.hub import Hub

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def named_handlers(addresses: Iterable[str], words: Iterable[str], hub: Hub) -> dict[str, object]:
    """The handlers of each address; a class that takes an argument gets the hub.

    Raises RouterSetupError when a word names none, or an address has none.
    """
    known = list(addresses)
    found: dict[str, object] = {}
    for word in words:
        address, is_addressed, name = word.rpartition("=")
        if not is_addressed:
            if len(known) != 1:
                listed = ", ".join(f"{each}={name}" for each in known) or "there is none"
                raise RouterSetupError(f"{word}: name the channel of these handlers: {listed}")
            [address] = known
        elif address not in known:
            raise RouterSetupError(f"{word}: no channel {address!r}; known: {', '.join(known)}")
        found[address] = _made(name, hub)
    if missing := [address for address in known if address not in found]:
        raise RouterSetupError(f"no handlers for {', '.join(missing)}: add ADDRESS=MODULE:CLASS")
    return found


def _made(name: str, hub: Hub) -> object:
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise RouterSetupError(f"{name}: handlers are named MODULE:CLASS, such as chat:Handlers")
    if os.getcwd() not in sys.path:  # a script has its own folder there instead
        sys.path.insert(0, os.getcwd())
    try:
        made: object = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise RouterSetupError(f"{name}: {error}") from error
    if not callable(made):
        return made
    parameters = inspect.signature(made).parameters.values()
    takes_hub = any(each.kind in _POSITIONAL for each in parameters)
    result: object = made(hub) if takes_hub else made()
    return result
