"""Generates the handler Protocols of a REST document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from scripts.bundle import Bundle
from scripts.operations import JSON, Operation, Parameter, base_path, operations
from scripts.python_source import docstring, formatted, head


def rest_source(bundle: Bundle, package: str, source: str) -> str:
    """A module with one Protocol for each tag."""
    all_operations = list(operations(bundle))
    models = sorted({model for each in all_operations for model in each.replies.values()})
    info = cast(Mapping[str, str], bundle.document["info"])
    protocols = [
        f"class {tag['name'].title()}Handlers(Protocol):\n{docstring(tag['description'])}\n\n"
        + "\n".join(_method(each) for each in all_operations if each.tag == tag["name"])
        for tag in cast(list[Mapping[str, str]], bundle.document["tags"])
    ]
    return formatted(
        f"{head(source)}"
        '"""The handlers of the REST operations."""\n\n'
        "from __future__ import annotations\n"
        "from abc import abstractmethod\n"
        "from decimal import Decimal\n"
        "from typing import Final, Literal, Protocol\n"
        "from generated.reply import File, Raw\n"
        f"from {package}.models import {', '.join(models)}\n\n"
        f"VERSION: Final = {info['version']!r}\n"
        '"""Version of the document."""\n'
        f"BASE_PATH: Final = {base_path(bundle)!r}\n\n\n" + "\n\n".join(protocols)
    )


def reply_source(source: str) -> str:
    """The module of the reply type that no model describes."""
    return formatted(
        f"{head(source)}"
        '"""Replies whose bytes are made already."""\n\n'
        "from __future__ import annotations\n"
        "from collections.abc import AsyncIterable, Mapping\n"
        "from dataclasses import dataclass, field\n"
        "from pathlib import Path\n"
        "from typing import Final\n\n"
        f"JSON: Final = {JSON!r}\n\n\n"
        "@dataclass(frozen=True, slots=True)\n"
        "class Raw:\n"
        '    """A body that is encoded already, or the pieces of one that is streamed."""\n\n'
        "    body: bytes | AsyncIterable[bytes]\n"
        "    media_type: str = JSON\n"
        "    headers: Mapping[str, str] = field(default_factory=dict)\n\n\n"
        "@dataclass(frozen=True, slots=True)\n"
        "class File:\n"
        '    """A body that is a file on disk, of which a part may be asked for."""\n\n'
        "    path: Path\n"
        "    name: str\n"
        '    """The name under which it is saved."""\n'
        "    media_type: str\n"
        "    headers: Mapping[str, str]\n"
        '    """With a strong `ETag`."""\n'
    )


def _method(operation: Operation) -> str:
    """The abstract method that a handler class implements."""
    signature = ["self", *(f"{p.argument}: {p.python_type}" for p in operation.placed("path"))]
    named = [_named(p) for place in ("query", "header") for p in operation.placed(place)]
    if operation.has_choice:
        named.append(f"media_type: Literal[{', '.join(map(repr, operation.media_types))}]")
    if named:
        signature += ["*", *named]
    kinds = [
        model if 200 <= status < 300 else f"tuple[{model}, Literal[{status}]]"
        for status, model in operation.replies.items()
    ]
    return (
        f"    @abstractmethod\n    async def {operation.name}({', '.join(signature)})"
        f" -> {' | '.join([*dict.fromkeys(kinds), 'Raw' if kinds else 'Raw | File'])}:\n"
        f"{docstring(operation.summary + '.', '        ')}\n"
    )


def _named(parameter: Parameter) -> str:
    """Its declaration in a signature; a default comes from the document and is always passed."""
    if parameter.required or parameter.default is not None:
        return f"{parameter.argument}: {parameter.python_type}"
    return f"{parameter.argument}: {parameter.python_type} | None = None"
