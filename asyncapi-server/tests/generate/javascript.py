"""The tools that clients in TypeScript are compiled and run with, where they are installed."""

from __future__ import annotations

import functools
import json
import re
import shutil
import subprocess
from pathlib import Path

from support.node import NODE, modules

FOLDER = Path(__file__).parent
OPTIONS = {
    "target": "es2022",
    "module": "nodenext",
    "lib": ["es2023", "dom", "dom.iterable"],
    "types": [],
    "strict": True,
    "noUncheckedIndexedAccess": True,
    "exactOptionalPropertyTypes": True,
    "noImplicitOverride": True,
    "noFallthroughCasesInSwitch": True,
    "noUnusedLocals": True,
    "noUnusedParameters": True,
    "verbatimModuleSyntax": True,
    "isolatedModules": True,
    "erasableSyntaxOnly": True,
    "rootDir": "typescript",
    "outDir": "javascript",
}
"""The strictest that users are likely to have."""
WEBSOCKET_VERSION = 22
"""Node's first version with a WebSocket of its own; some before have it behind an option."""


def tsc() -> str | None:
    """The compiler; None when there is none, and it cannot be installed."""
    installed = modules(FOLDER)
    return shutil.which("tsc", path=None if installed is None else str(installed / ".bin"))


@functools.cache
def node() -> list[str] | None:
    """Node with a global WebSocket, as a command; None when there is none."""
    if NODE is None:
        return None
    done = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True)
    found = re.match(r"v(\d+)", done.stdout)
    is_new = found is not None and int(found[1]) >= WEBSOCKET_VERSION
    command = [NODE] if is_new else [NODE, "--experimental-websocket"]
    known = subprocess.run([*command, "--eval", ""], capture_output=True, check=False)
    return command if known.returncode == 0 else None


def compiled(folder: Path) -> str:
    """Compile `typescript` in a folder to `javascript`; returns the complaints."""
    (folder / "tsconfig.json").write_text(
        json.dumps({"compilerOptions": OPTIONS, "include": ["typescript"]})
    )
    (folder / "package.json").write_text('{"type": "module"}')
    done = subprocess.run(
        [tsc() or "", "-p", str(folder)], capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr
