"""Generates the models and operations of the Python client."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from scripts.apis import REST, STREAM
from scripts.bundle import Bundle
from scripts.models import models_source
from scripts.operations import Operation, Parameter, base_path, operations
from scripts.python_source import docstring, formatted

PACKAGE = Path("sdk/python/candlecast_client/generated")
_RPC = "from candlecast_client.rpc import RpcClient\n"


def python_files(rest: Bundle, stream: Bundle, projection: Mapping[str, object]) -> dict[Path, str]:
    """The text of every generated file of the Python client by its path."""
    both = (REST.as_posix(), STREAM.as_posix())
    title = docstring("Code generated from the documents in `specs/`.", indent="")
    return {
        PACKAGE / "__init__.py": formatted(
            f"{_head(*both)}{title}\n\nfrom typing import Final\n\n"
            f"REST_BASE_PATH: Final = {base_path(rest)!r}\n"
            f"REST_VERSION: Final = {version(rest.document)!r}\n"
            f"STREAM_ADDRESS: Final = {stream_address(projection)!r}\n"
            f"STREAM_VERSION: Final = {version(projection)!r}\n"
        ),
        PACKAGE / "models.py": _for_clients(
            models_source({**rest.schemas, **stream.schemas}, *both)
        ),
        PACKAGE / "rest.py": _rest(rest),
        PACKAGE / "stream/__init__.py": formatted(
            f'{_head(STREAM.as_posix())}"""The operations of the stream."""\n'
        ),
        PACKAGE / "stream/messages/__init__.py": formatted(
            f'{_head(STREAM.as_posix())}"""The messages of the stream by content type."""\n\n'
            "from . import json\n\n__all__ = ['json']\n"
        ),
        PACKAGE / "stream/messages/json.py": _messages(projection),
        PACKAGE / "stream/router.py": _router(projection),
    }


def _router(projection: Mapping[str, object]) -> str:
    """asyncapi-python's operations, with the package's own endpoint for requests."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "stream.json"), Path(folder, "stream")
        source.write_text(json.dumps(projection), "utf-8")
        run = subprocess.run(
            [
                *(sys.executable, "-W", "ignore", "-m", "asyncapi_python_codegen.cli"),
                *(str(source), str(target)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode or not (target / "router.py").exists():
            raise RuntimeError(f"asyncapi-python-codegen failed:\n{run.stdout}{run.stderr}")
        generated = (target / "router.py").read_text("utf-8")
    body = re.sub(r"^(from \S+ import [^\n]*)RpcClient, ", rf"{_RPC}\1", generated, flags=re.M)
    if _RPC not in body:
        raise RuntimeError("asyncapi-python-codegen no longer imports RpcClient as expected")
    return formatted(_head(STREAM.as_posix()) + body)


def _messages(projection: Mapping[str, object]) -> str:
    """The model of each message, under the names that asyncapi-python gives them."""
    components = cast(Mapping[str, Mapping[str, Mapping[str, object]]], projection["components"])
    models = {
        name: cast(Mapping[str, str], message["payload"])["$ref"].rsplit("/", 1)[1]
        for name, message in components["messages"].items()
    }
    for name, model in models.items():
        if model != "".join(part.capitalize() for part in name.split("_")):
            raise ValueError(f"message {name!r}: name its schema so, in PascalCase, not {model}")
    names = ", ".join(sorted(models.values()))
    table = "".join(f"    {name!r}: {model},\n" for name, model in models.items())
    return formatted(
        f'{_head(STREAM.as_posix())}"""The model of each message of the stream."""\n\n'
        "from collections.abc import Mapping\nfrom typing import Final\n"
        "from pydantic import BaseModel\n"
        f"from candlecast_client.generated.models import {names}\n\n"
        f"__all__ = ['MODELS', {', '.join(map(repr, sorted(models.values())))}]\n\n"
        f"MODELS: Final[Mapping[str, type[BaseModel]]] = {{\n{table}}}\n"
        '"""The models by the names of the messages in the document."""\n'
    )


def _rest(rest: Bundle) -> str:
    """A class with one method for each REST operation."""
    all_operations = [each for each in operations(rest) if each.replies]
    models = ", ".join(sorted({operation.model for operation in all_operations}))
    return formatted(
        f'{_head(REST.as_posix())}"""Every REST operation as a method."""\n\n'
        "from __future__ import annotations\n"
        "from abc import ABC, abstractmethod\n"
        "from collections.abc import Mapping\n"
        "from decimal import Decimal\n"
        "from typing import TypeVar\n"
        "from pydantic import BaseModel\n"
        f"from candlecast_client.generated.models import {models}\n\n"
        'M = TypeVar("M", bound=BaseModel)\n\n\n'
        "class RestOperations(ABC):\n"
        '    """The operations; `_call` says how they are carried."""\n\n'
        "    @abstractmethod\n"
        "    async def _call(self, method: str, path: str, names: Mapping[str, str | int], "
        "query: Mapping[str, object], replies: Mapping[int, type[M]]) -> M:\n"
        '        """Send a request; `names` are put into the path.\n\n'
        "        `replies` has the model of each status that is no error.\n"
        '        """\n\n' + "\n".join(map(_method, all_operations))
    )


def _method(operation: Operation) -> str:
    path, query = operation.placed("path"), operation.placed("query")
    signature = ["self", *(f"{p.name}: {p.python_type}" for p in path)]
    if query:
        signature += ["*", *map(_keyword, query)]
    lines = [
        f"{operation.summary}.",
        *([""] if operation.parameters else []),
        *(f"- `{p.name}`: {p.description}" for p in operation.parameters),
    ]
    return (
        f"    async def {operation.name}({', '.join(signature)}) -> {operation.model}:\n"
        f"{docstring(chr(10).join(lines), '        ')}\n"
        f"        return await self._call({operation.method!r}, "
        f"{json.dumps(operation.path)}, {_given(path)}, {_given(query)}, "
        f"{{{', '.join(f'{status}: {model}' for status, model in operation.replies.items())}}})\n"
    )


def _given(parameters: Sequence[Parameter]) -> str:
    """The source of a dict of arguments by their names."""
    return f"{{{', '.join(f'{p.name!r}: {p.name}' for p in parameters)}}}"


def _keyword(parameter: Parameter) -> str:
    return f"{parameter.name}: {parameter.python_type}" + (
        "" if parameter.required else " | None = None"
    )


def _head(*sources: str) -> str:
    return f"# Generated by `make sdk` from {' and '.join(sources)}. Never edited.\n"


def _for_clients(source: str) -> str:
    """The server's models, with floats that accept a Decimal, since JSON is read with decimals."""
    source = source.replace("Generated by `make generate`", "Generated by `make sdk`", 1)
    return formatted(source.replace("    StrictFloat,\n", "", 1).replace("StrictFloat", "float"))


def version(document: Mapping[str, object]) -> str:
    return cast(Mapping[str, str], document["info"])["version"]


def stream_address(projection: Mapping[str, object]) -> str:
    channels = cast(Mapping[str, Mapping[str, str]], projection["channels"])
    addresses = {channel["address"] for channel in channels.values()}
    if len(addresses) != 1:
        raise ValueError(f"a client has one connection and so one address, not {sorted(addresses)}")
    return addresses.pop()
