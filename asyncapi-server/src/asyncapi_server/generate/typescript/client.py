"""The modules of a client in TypeScript, without dependencies."""

from __future__ import annotations

from importlib import resources

from asyncapi_server.generate.interface import Interface
from asyncapi_server.generate.texts import block_comment, flat
from asyncapi_server.generate.typescript.channel import channel_source
from asyncapi_server.generate.typescript.types import shapes_source, types_source

_WORDS = frozenset(
    {"arguments", "await", "case", "catch", "class", "const", "debugger", "default", "delete", "do",
     "enum", "eval", "export", "extends", "false", "function", "implements", "instanceof",
     "interface", "let", "new", "null", "package", "private", "protected", "public", "static",
     "super", "switch", "this", "throw", "true", "typeof", "undefined", "var", "void", "yield"}
)  # fmt: skip
"""What no variable of JavaScript is named, besides Python's keywords."""
_RUNTIME = ("connection.ts", "errors.ts", "messages.ts", "opening.ts", "values.ts")


def client_files(interface: Interface) -> dict[str, str]:
    """The files of a client by their paths, with a module for each address."""
    channels = interface.channels
    is_alone = len(channels) == 1
    modules = {"client" if is_alone else channel.module: channel for channel in channels}
    runtime = resources.files(__package__) / "runtime"
    definitions = interface.definitions.values()
    exports = [
        'export * from "./client.js";\n'
        if is_alone
        else f'export * as {name}{"_" * (name in _WORDS)} from "./{name}.js";\n'
        for name in modules
    ]
    title = f"A client of {flat(interface.title) or 'a document'}."
    return {
        **{name: runtime.joinpath(name).read_text("utf-8") for name in _RUNTIME},
        "index.ts": (
            f"{block_comment(title)}\n{''.join(exports)}"
            'export * from "./errors.js";\nexport type * from "./types.js";\n'
        ),
        "shapes.ts": shapes_source(definitions),
        "types.ts": types_source(definitions),
        **{f"{name}.ts": channel_source(each, interface) for name, each in modules.items()},
    }
