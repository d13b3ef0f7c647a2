"""The module `sends` of a channel: functions that make the messages which are sent unprompted."""

from __future__ import annotations

from asyncapi_server.generate.interface import ChannelType, MessageType
from asyncapi_server.generate.naming import BUILTINS, TYPES, Names, pascal, variable
from asyncapi_server.generate.python.arguments import payload
from asyncapi_server.generate.python.formatting import FUTURE
from asyncapi_server.generate.python.values import IMPORTS, Values
from asyncapi_server.generate.texts import docstring, flat
from asyncapi_server.names import snake_case

_TAKEN = frozenset({"annotations", *BUILTINS})
"""Names that types need, or that are imported."""


def sends_source(channel: ChannelType, values: Values, module: str) -> str:
    """The module; `module` is that of the types of plain values, as it is imported."""
    functions = Names()
    types = Names({*TYPES, *values.names})
    makers = [
        _Maker(message, functions.claim(_function(message)), types.claim(_json(message)))
        for message in channel.alone
    ]
    return (
        f"{docstring(f'Makes what `{flat(channel.address)}` sends unprompted, as JSON.', '')}\n"
        f"{FUTURE}from abc import abstractmethod\nfrom collections.abc import Callable\n"
        f"from typing import NewType, Protocol\n{IMPORTS}"
        "from asyncapi_server.jsontext import dumps as _dumps\n"
        f"{values.imports(module)}\n"
        + "\n\n".join(maker.source(values) for maker in makers)
        + "\n\nclass Sends(Protocol):\n"
        f"{docstring(f'Makes what `{flat(channel.address)}` sends unprompted.')}\n"
        + "\n".join(maker.declaration for maker in makers if maker.is_plain)
        + "\n\n"
        + _published([maker for maker in makers if not maker.is_plain])
    )


class _Maker:
    """The function that makes a message; the router looks for it by the message's name."""

    def __init__(self, message: MessageType, name: str, kind: str) -> None:
        self._message = message
        self._name = name
        self._kind = kind
        self.is_plain = name == snake_case(message.name)

    def source(self, values: Values) -> str:
        made = payload(self._message.shape, values)
        statements = "".join(f"    {line}\n" for line in made.statements)
        return (
            f"{self._kind} = NewType({self._kind!r}, bytes)\n\n\n"
            f"def {self._name}({made.parameters}) -> {self._kind}:\n"
            f"{docstring(self._message.summary or f'Make `{flat(self._message.name)}`.')}"
            f"{statements}    return {self._kind}(_dumps({made.expression}))\n"
        )

    @property
    def declaration(self) -> str:
        """Its property in the protocol."""
        text = docstring(f"Make `{flat(self._message.name)}`.", "        ")
        return (
            f"    @property\n    @abstractmethod\n"
            f"    def {self._name}(self) -> Callable[..., {self._kind}]:\n{text}"
        )

    @property
    def publication(self) -> str:
        """The line that gives it a name which no definition in Python can have."""
        return f"_names[{snake_case(self._message.name)!r}] = {self._name}\n"


def _published(makers: list[_Maker]) -> str:
    lines = "".join(maker.publication for maker in makers)
    return f"# The router looks for them by these names.\n_names = globals()\n{lines}" * bool(lines)


def _function(message: MessageType) -> str:
    return variable(snake_case(message.name), "send_", _TAKEN)


def _json(message: MessageType) -> str:
    return pascal(f"{message.name}_json", "Message")
