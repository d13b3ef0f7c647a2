"""The page about clients shows the samples that are run, and the versions that are installed."""

from __future__ import annotations

import json
import re

from tests.interop import page
from tests.interop.catalogue import CLIENTS
from tests.interop.environments import LOCKS

TEXT = page.PAGE.read_text("utf-8")
LANGUAGES = {".py": "python", ".mjs": "js", ".json": "json"}


def test_the_samples_are_those_that_are_run() -> None:
    shown = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    files = [file for file in page.SAMPLES.rglob("*") if file.suffix in LANGUAGES]
    run = [(LANGUAGES[file.suffix], file.read_text("utf-8")) for file in files]
    assert sorted(shown) == sorted(run)


def test_the_table_has_every_client_at_its_version() -> None:
    locks = "".join((LOCKS / f"{name}.lock").read_text() for name in ("main", "apart"))
    installed = set(re.findall(r"^([a-z0-9-]+)==(\S+)", locks, re.MULTILINE))
    installed |= set(json.loads((LOCKS / "package.json").read_text())["dependencies"].items())
    rows = re.findall(r"^\| (\S.*?) \| (\S+) \| (\w+) \| (.+?) \| ([\d,]+) \|$", TEXT, re.MULTILINE)
    assert sorted((name, against) for name, _, against, _, _ in rows) == sorted(
        (client.name, against) for client in CLIENTS for against in client.against
    )
    for name, version, _, compared, values in rows:
        distribution = name.split(" ")[0].removesuffix(".pro").replace("_", "-")
        assert (distribution, version) in installed
        assert compared, name
        assert int(values.replace(",", "")) > 0, name
