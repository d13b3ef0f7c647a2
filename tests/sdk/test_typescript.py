"""The TypeScript client: its own tests in Node's test runner, and its package."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.sdk.tools import TYPESCRIPT_CLIENT, built, run


@pytest.fixture(scope="module")
def node() -> str:
    program = built()
    if program is None:
        pytest.skip("Node or its packages are absent: the TypeScript client is not tested")
    return program


def test_its_own_tests_pass(node: str) -> None:
    tests = sorted(str(path) for path in (TYPESCRIPT_CLIENT / "build/test").glob("*.test.js"))
    done = run(node, "--test", "--test-timeout=30000", *tests)
    assert done.returncode == 0, done.stdout
    passed = re.search(r"^# pass ([0-9]+)$", done.stdout, re.MULTILINE)
    assert passed is not None, done.stdout
    assert int(passed[1]) >= len(tests), done.stdout


def test_the_package_works_where_it_is_installed(node: str, tmp_path: Path) -> None:
    done = run("npm", "pack", "--silent", "--pack-destination", str(tmp_path))
    assert done.returncode == 0, done.stdout
    (tarball,) = tmp_path.glob("*.tgz")
    home = tmp_path / "node_modules" / "candlecast-client"
    home.mkdir(parents=True)
    subprocess.run(["tar", "xzf", tarball, "-C", home, "--strip-components=1"], check=True)
    source = (
        'import { Client } from "candlecast-client";'
        'import { Client as Bundled } from "candlecast-client/browser";'
        "console.log(typeof Client, typeof Bundled);"
    )
    command = [node, "--input-type=module", "-e", source]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["function", "function"]
    manifest = json.loads((home / "package.json").read_text())
    for target in (manifest["main"], manifest["types"], "dist/candlecast-client.js", "README.md"):
        assert (home / target).exists()


def test_the_lock_names_no_registry() -> None:
    lock = (TYPESCRIPT_CLIENT / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert "https://" not in re.sub(r'"url": "[^"]*"', "", lock)  # funding pages are no registry
    assert '"integrity"' in lock
