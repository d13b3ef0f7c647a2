"""The README's commands and settings are true."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import yaml

from scripts.readme import settings_table, with_settings
from server import cli

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def commands() -> set[str]:
    """The commands that the program has."""
    (chosen,) = (
        action for action in cli.parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    return set(chosen.choices)


def test_the_readme_lists_every_setting_with_its_default() -> None:
    assert settings_table() in README
    assert with_settings(README) == README, "run `make generate`"


def test_the_readme_lists_every_command() -> None:
    section = README.split("## Commands")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `([\w-]+)`", section, re.MULTILINE)) == commands()


def test_the_readme_lists_every_endpoint() -> None:
    document = yaml.safe_load((ROOT / "specs" / "openapi.yaml").read_text())
    described = {
        f"{method.upper()} /api/v1{path}"
        for path, item in document["paths"].items()
        for method in item.keys() & {"get", "post"}
    }
    assert set(re.findall(r"^\| `((?:GET|POST) [^`]+)`", README, re.MULTILINE)) == described


def test_the_make_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    documents = README + (ROOT / "ARCHITECTURE.md").read_text()
    named = set(re.findall(r"`?\bmake ([a-z-]+)\b", documents))
    assert {"run", "test", "check", "generate", "bench"} <= named <= targets


def test_the_files_that_are_linked_exist() -> None:
    for name in ("README.md", "ARCHITECTURE.md"):
        for link in re.findall(r"\]\(([^)#:]+)\)", (ROOT / name).read_text()):
            assert (ROOT / link).exists(), f"{name} links {link}"
