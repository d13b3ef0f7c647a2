"""The built wheel, installed outside the checkout, serves all that the checkout serves."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
import sysconfig
import venv
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import PIPE, run

import aiohttp
import pytest

from server.version import program_version
from tests.cli.programs import children
from tests.docs.pages import SERVED, read, target
from tests.running import ROOT, free_port, simulator

LEFT_OUT = {"build", "dist", "data", "node_modules", "__pycache__", "tests"}


def left_out(directory: str, names: list[str]) -> set[str]:
    """The names that the wheel leaves out."""
    hidden = {name for name in names if name.startswith(".") or name.endswith(".egg-info")}
    return hidden | LEFT_OUT.intersection(names)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the wheel; libraries come from this environment."""
    directory = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, directory / "source", ignore=left_out)
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    options = ("--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", str(directory))
    source = directory / "source"
    folders = [str(source / "asyncapi-server"), str(source)]
    run([*pip, "wheel", *options, *folders], check=True, stderr=PIPE)
    wheels = sorted(map(str, directory.glob("*.whl")))
    assert len(wheels) == len(folders)
    venv.create(directory / "env", with_pip=False)
    programs = directory / "env" / "bin"
    into = ("--python", str(programs / "python"))
    run([*pip, *into, "install", "--no-index", "--no-deps", *wheels], check=True, stderr=PIPE)
    shutil.rmtree(source)
    return programs


def environment(**settings: str) -> dict[str, str]:
    """An environment that has this one's libraries, and not the checkout."""
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith(("CANDLECAST_", "PYTHON"))},
        "PYTHONPATH": sysconfig.get_path("purelib"),
        **{f"CANDLECAST_{name.upper()}": text for name, text in settings.items()},
    }


@asynccontextmanager
async def serving(programs: Path, directory: Path) -> AsyncIterator[str]:
    """The installed program as a server; gives its base URL."""
    async with simulator("--symbols", "BTCUSDT") as exchange:
        process = await asyncio.create_subprocess_exec(
            programs / "candlecast",
            "serve",
            cwd=directory,
            env=environment(rest_url=exchange, symbols="BTCUSDT", history="1m", port="0"),
            stdout=PIPE,
        )
        assert process.stdout is not None
        try:
            line = await asyncio.wait_for(process.stdout.readline(), 60)
            yield line.decode().split()[-1]
        finally:
            process.terminate()
            await process.communicate()


async def test_an_installed_server_serves_every_page_that_the_checkout_serves(
    installed: Path, tmp_path: Path
) -> None:
    async with serving(installed, tmp_path) as url, aiohttp.ClientSession(url) as session:
        for path, page in SERVED.items():
            async with session.get(path) as response:
                assert response.status == 200, path
                assert await response.read() == page.content, path


async def test_every_link_of_an_installed_server_leads_somewhere(
    installed: Path, tmp_path: Path
) -> None:
    async with serving(installed, tmp_path) as url, aiohttp.ClientSession(url) as session:
        seen, waiting = {"/"}, ["/"]
        while waiting:
            path = waiting.pop()
            async with session.get(path) as response:
                assert response.status == 200, path
                if response.content_type != "text/html" or path in ("/docs", "/redoc"):
                    continue
                links = read(await response.read()).links
            found = {target(path, link)[0] for link in links if not re.match(r"\w+:", link)}
            waiting += sorted(found - seen)
            seen |= found
        assert {"/licences.html", "/changelog.html", "/guides/exactness.html"} <= seen


@pytest.mark.skipif(
    shutil.which("bwrap") is None, reason="needs bwrap for a root of its own (Debian: bubblewrap)"
)
async def test_it_runs_without_rights_on_a_read_only_root(installed: Path, tmp_path: Path) -> None:
    store, port = tmp_path / "store", str(free_port())
    store.mkdir()
    async with simulator("--symbols", "BTCUSDT") as exchange, aiohttp.ClientSession() as session:
        process = await asyncio.create_subprocess_exec(
            *("bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"),
            *("--bind", str(store), str(store), "--chdir", str(store), "--die-with-parent"),
            *("--unshare-user", "--uid", "10001", "--gid", "10001"),
            *(str(installed / "candlecast"), "serve"),
            env=environment(
                rest_url=exchange, symbols="BTCUSDT", history="1m", port=port, store="chdb:db"
            )
            | {"TMPDIR": str(store)},
            stdout=PIPE,
            stderr=PIPE,
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(60):
                line = (await process.stdout.readline()).decode()
                assert line.startswith("Candlecast serves")
                ready = f"http://127.0.0.1:{port}/api/v1/monitoring/ready"
                status = 0
                while status != 200:
                    async with session.get(ready) as response:
                        status = response.status
            [program] = children(process.pid)
            os.kill(program, signal.SIGTERM)
            _, errors = await asyncio.wait_for(process.communicate(), 60)
        finally:
            if process.returncode is None:
                process.kill()  # the program dies with it
                await process.wait()
    assert process.returncode == 0, errors.decode()


def test_the_program_says_its_version(installed: Path, tmp_path: Path) -> None:
    result = run(
        [installed / "candlecast", "--version"],
        cwd=tmp_path, env=environment(), check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert result.stdout == f"candlecast {program_version()}\n"
    where = run(
        [installed / "python", "-c", "import server; print(server.__file__)"],
        cwd=tmp_path, env=environment(), check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert str(ROOT) not in where.stdout
