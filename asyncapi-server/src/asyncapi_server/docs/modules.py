"""ES modules as one script, which can stand in a page or in a file of its own.

A module is read as it is written, with two limits: what it imports is named in braces, and what it
exports is declared where it is exported.
"""

from __future__ import annotations

import posixpath
import re
from importlib.resources.abc import Traversable

_IMPORT = re.compile(r"^import \{([^}]*)\} from '([^']+)';\n", re.MULTILINE)
_EXPORT = re.compile(
    r"^export (?=(?:async )?(?:function\*?|const|let|class) ([\w$]+))", re.MULTILINE
)
_FOREIGN = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
_SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*\n?", re.MULTILINE)


def linked(folder: Traversable, entry: str) -> str:
    """The module `entry` of a folder and all that it imports, as one script.

    Raises ValueError when a module is written otherwise, or modules import each other.
    """
    linker = _Linker(folder)
    linker.add(entry, ())
    return "(() => {\n'use strict';\n" + "".join(linker.parts) + "})();\n"


class _Linker:
    def __init__(self, folder: Traversable) -> None:
        self._folder = folder
        self._names: dict[str, str] = {}
        self.parts: list[str] = []

    def add(self, path: str, importing: tuple[str, ...]) -> str:
        """Add a module after those that it imports; returns the name of its exports."""
        if path in importing:
            raise ValueError(f"modules import each other: {' -> '.join((*importing, path))}")
        if path not in self._names:
            source = self._folder.joinpath(*path.split("/")).read_text("utf-8")
            body = self._body(source, path, (*importing, path))
            self._names[path] = name = f"module{len(self._names)}"
            self.parts.append(f"// {path}\nconst {name} = (() => {{\n{body}}})();\n")
        return self._names[path]

    def _body(self, source: str, path: str, importing: tuple[str, ...]) -> str:
        def imported(match: re.Match[str]) -> str:
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), match[2]))
            names = " ".join(match[1].replace(" as ", ": ").split())
            return f"const {{ {names} }} = {self.add(target, importing)};\n"

        exported = [match[1] for match in _EXPORT.finditer(source)]
        body = _IMPORT.sub(imported, _EXPORT.sub("", _SOURCE_MAP.sub("", source)))
        if foreign := _FOREIGN.search(body):
            raise ValueError(f"{path}: cannot be linked: {foreign[0]!r}")
        if not body.endswith("\n"):
            body += "\n"
        return f"{body}return {{ {', '.join(exported)} }};\n"
