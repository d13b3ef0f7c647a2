from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.storage import Store
from tests.storage.front import CLUSTER

_DATABASES = itertools.count()


@pytest.fixture(scope="session")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a ClickHouse HTTP interface in a process of its own."""
    yield from _front(tmp_path_factory.mktemp("front"))


@pytest.fixture(scope="session")
def cluster_front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one that is a cluster of one shard."""
    yield from _front(tmp_path_factory.mktemp("front"), "--cluster")


def _front(path: Path, *options: str) -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.storage.front", str(path), *options],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.kill()


@pytest.fixture(params=["embedded", "http"])
def dsn(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of its own for each test, on either backend."""
    return _dsn(request, tmp_path)


def _dsn(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "embedded":
        return f"chdb://{tmp_path}/db"
    front = "cluster_front" if request.param == "cluster" else "front"
    return f"{request.getfixturevalue(front)}/test_{next(_DATABASES)}"


@pytest.fixture(params=["embedded", "http", "cluster"])
def fresh_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of its own for each test, on every backend."""
    cluster = CLUSTER if request.param == "cluster" else ""
    with Store(_dsn(request, tmp_path), cluster) as store:
        yield store
