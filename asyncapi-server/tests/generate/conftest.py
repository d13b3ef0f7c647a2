"""Every document's server and clients, generated once for all processes of a test run."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import uvloop

from asyncapi_server.generate.folder import Folder
from asyncapi_server.generate.python.client import client_files as python_client
from asyncapi_server.generate.python.formatting import formatted
from asyncapi_server.generate.python.server import server_files
from asyncapi_server.generate.typescript.client import client_files as typescript_client
from generate.documents import SERVED
from generate.javascript import FOLDER, compiled, tsc

KINDS = {
    "served": server_files,
    "connected": python_client,
    "typescript": typescript_client,
}
"""The folder of each kind of tree."""


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """One event loop is enough: what it matters to is tested in `serving`."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of all trees, from which those of Python can be imported."""
    base = tmp_path_factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "trees"
    _once(root, _generate)
    sys.path.insert(0, str(root))
    yield root
    sys.path.remove(str(root))


@pytest.fixture(scope="session")
def javascript(trees: Path) -> Path:
    """The folder of all trees of TypeScript, compiled; `complaints` has the compiler's."""
    if tsc() is None:
        pytest.skip(f"tsc cannot be installed in {FOLDER}: TypeScript is not tried")
    _once(trees / "complaints", lambda path: path.write_text(compiled(trees)))
    return trees / "javascript"


def _once(path: Path, make: Callable[[Path], object]) -> None:
    """Make a file or a folder, unless another process has made it, or does so."""
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            make(path)


USES = {"served/usage.py": "usage.py.txt", "typescript/usage.ts": "usage.ts"}
"""Code that uses trees rightly and wrongly, by its place among them."""


def _generate(root: Path) -> None:
    files: dict[str, str] = {}
    for case in SERVED:
        interface = case.interface()
        for kind, write in KINDS.items():
            for name, text in write(interface).items():
                files[f"{kind}/{case.key}/{name}"] = text
    sources = formatted(files)
    for case in SERVED:
        for kind in KINDS:
            start = f"{kind}/{case.key}/"
            own = {n.removeprefix(start): t for n, t in sources.items() if n.startswith(start)}
            Folder(root / start, "generate", case.path.name).write(own)
    for place, use in USES.items():
        (root / place).write_text((Path(__file__).with_name("usage") / use).read_text())
