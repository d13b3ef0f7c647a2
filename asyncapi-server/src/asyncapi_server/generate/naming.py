"""Names that Python and TypeScript take, made of the names in a document."""

from __future__ import annotations

import builtins
import itertools
import keyword
import unicodedata
from collections.abc import Iterable, Iterator

from asyncapi_server.names import snake_case

_IMPORTED = frozenset(
    {"ADDRESS", "Annotated", "Answer", "Any", "AsyncIterator", "BaseModel", "BeforeValidator",
     "CONTRACT", "Callable", "CannotConnect", "Client", "ClientError", "ClientSession",
     "ConfigDict", "Connection", "ConnectionLost", "Contract", "Decimal", "Field", "Final",
     "Handlers", "INCOMING", "Incoming", "Integer", "Literal", "MODELS", "Mapping", "Model",
     "NewType", "NotRequired", "Options", "Outgoing", "Protocol", "ReaderTooSlow", "Received",
     "Refused", "ReplyT", "RootModel", "SERVERS", "SHAPES", "Sends", "Sequence", "Shapes",
     "TimedOut", "TypeAlias", "TypeAliasType", "TypeVar", "TypedDict"}
)  # fmt: skip
_GLOBALS = frozenset(
    {"Array", "ArrayBuffer", "Atomics", "BigInt", "Blob", "Boolean", "DataView", "Date", "Error",
     "Event", "Function", "Generator", "Infinity", "Intl", "Iterator", "JSON", "Map", "Math", "NaN",
     "Number", "Object", "Omit", "Partial", "Pick", "Promise", "Proxy", "Readonly", "Record",
     "Reflect", "RegExp", "Required", "Set", "String", "Symbol", "URL", "WeakMap", "WeakRef",
     "WeakSet", "WebSocket"}
)  # fmt: skip
BUILTINS = frozenset(dir(builtins))
TYPES = _IMPORTED | _GLOBALS | BUILTINS
"""Names that no generated type has, in either language."""


class Names:
    """The names of one scope, each of which is given once."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._numbers: dict[str, Iterator[int]] = {}

    def claim(self, *wanted: str) -> str:
        """The first of some names that is free; the last one with a number when none is."""
        numbers = self._numbers.setdefault(wanted[-1], itertools.count(2))
        numbered = (f"{wanted[-1]}{number}" for number in numbers)
        name = next(n for n in itertools.chain(wanted, numbered) if n not in self._taken)
        self._taken.add(name)
        return name


def pascal(name: str, word: str) -> str:
    """A name for a type: "system_status" -> "SystemStatus".

    `word` stands before one that begins with no letter, and behind one that no type has.
    """
    words = [part for part in snake_case(name).split("_") if part]
    found = identifier("".join(part[0].upper() + part[1:] for part in words), word)
    return found + word if found in TYPES else found


def identifier(name: str, otherwise: str) -> str:
    """A name with everything replaced that no identifier has, and as Python itself reads it.

    `otherwise` stands before one that does not begin with a letter.
    """
    plain = unicodedata.normalize("NFKC", name)
    found = "".join(letter if f"a{letter}".isidentifier() else "_" for letter in plain)
    if not found[:1].isidentifier() or found.startswith("_"):
        found = otherwise + found.strip("_")
    return unicodedata.normalize("NFKC", found)


def variable(name: str, otherwise: str, reserved: Iterable[str] = ()) -> str:
    """A name for a variable of Python; keywords, and what is reserved, get an underscore."""
    found = identifier(name, otherwise)
    return f"{found}_" if keyword.iskeyword(found) or found in reserved else found
