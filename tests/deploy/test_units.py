"""The examples of deploy/ pass the tools that they are made for, and name settings that exist."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from subprocess import PIPE, STDOUT, run
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from server.settings import TABLE
from tests.running import ROOT

DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "candlecast.service"
MOST_EXPOSURE = 30
"""Of systemd's measure, in tenths."""
KUBERNETES = "1.37"

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="needs systemd-analyze (Debian: systemd)"
)
needs_compose = pytest.mark.skipif(
    shutil.which("docker-compose") is None, reason="needs docker-compose (Debian: docker-compose)"
)


def output(*arguments: str | Path, **environment: str) -> tuple[int, str]:
    """How a program ended, and all that it printed."""
    ended = run(
        arguments, stdout=PIPE, stderr=STDOUT, text=True, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip
    return ended.returncode, ended.stdout


@needs_systemd
def test_the_unit_is_valid(tmp_path: Path) -> None:
    unit = tmp_path / "etc/systemd/system" / UNIT.name
    program = tmp_path / "opt/candlecast/bin/candlecast"
    for path in (unit, program, tmp_path / "bin/kill"):
        path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(UNIT, unit)
    for path in (program, tmp_path / "bin/kill"):
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    for target in ("sysinit", "basic", "shutdown", "network-online", "multi-user"):
        (unit.parent / f"{target}.target").write_text(f"[Unit]\nDescription={target}\n")
    status, printed = output(
        "systemd-analyze", "verify", f"--root={tmp_path}", f"/etc/systemd/system/{UNIT.name}"
    )
    assert (status, printed.strip()) == (0, "")


@needs_systemd
def test_the_unit_is_hardened() -> None:
    status, printed = output(
        "systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSURE}", UNIT
    )
    assert status == 0, printed


@needs_compose
@pytest.mark.parametrize("files", [["compose.yaml"], ["compose.yaml", "compose.clickhouse.yaml"]])
def test_the_compose_files_are_valid(files: list[str]) -> None:
    named = [argument for file in files for argument in ("-f", str(DEPLOY / file))]
    status, printed = output("docker-compose", *named, "config", CLICKHOUSE_PASSWORD="secret")
    assert status == 0, printed
    assert yaml.safe_load(printed)["services"]["candlecast"]["read_only"] is True


def test_a_compose_file_asks_for_a_password() -> None:
    text = (DEPLOY / "compose.clickhouse.yaml").read_text()
    assert re.findall(r"\$\{CLICKHOUSE_PASSWORD(.)", text) == [":", ":"]


def manifests() -> list[dict[str, Any]]:
    """The objects of the Kubernetes example."""
    return list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))


def test_the_kubernetes_example_is_valid() -> None:
    for manifest in manifests():
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    by_kind = {manifest["kind"]: manifest for manifest in manifests()}
    assert set(by_kind) == {"ConfigMap", "Service", "StatefulSet"}
    pod = by_kind["StatefulSet"]["spec"]["template"]
    assert pod["metadata"]["labels"] == by_kind["Service"]["spec"]["selector"]
    [container] = pod["spec"]["containers"]
    drain = int(by_kind["ConfigMap"]["data"]["CANDLECAST_DRAIN_SECONDS"])
    assert drain < pod["spec"]["terminationGracePeriodSeconds"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize("file", sorted(path.name for path in DEPLOY.iterdir() if path.is_file()))
def test_the_examples_name_settings_that_exist(file: str) -> None:
    known = {setting.variable for setting in TABLE}
    named = set(re.findall(r"\bCANDLECAST_[A-Z_]+", (DEPLOY / file).read_text()))
    assert named <= known
    assert named or file == "compose.clickhouse.yaml"


def test_the_guide_names_files_that_exist() -> None:
    guide = (ROOT / "docs/guides/deploy.md").read_text()
    named = {ROOT / name for name in re.findall(r"\bdeploy/[\w.]+\w", guide)}
    assert named == {path for path in DEPLOY.iterdir() if path.is_file()}


def test_the_image_has_what_the_program_is_made_of() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(\S+) ", text, re.MULTILINE)
    assert copied == ["requirements.lock", "."]
    left_out = (ROOT / ".containerignore").read_text().split()
    needed = {"generated", "handlers", "ingest", "server", "simulator", "specs", "asyncapi-server"}
    assert needed.isdisjoint(left_out)
    assert {"data", "tests"} <= set(left_out)
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
