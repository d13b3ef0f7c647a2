"""The console's modules: typed, tested by themselves, small, and of the documents' bounds."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from generated.native import facts
from server.site.pages import load_pages
from tests.console.tools import CHARTS, CONSOLE, HERE, NEEDS_NODE, NEEDS_PACKAGES, NODE, PACKAGES

ROOT = Path(__file__).parents[2]
MAX_BYTES = 400_000


def test_what_a_browser_loads_is_small() -> None:
    pages = load_pages(b"{}", ROOT / "specs")
    served = [page.content for path, page in pages.items() if path.startswith("/console")]
    assert len(served) == 1 + len([*CONSOLE.glob("*.js"), *CONSOLE.glob("*.css")])
    assert sum(map(len, served)) + CHARTS.stat().st_size < MAX_BYTES


def test_the_bounds_are_those_of_the_documents() -> None:
    source = (CONSOLE / "bounds.js").read_text("utf-8")
    bounds = {name: int(value) for name, value in re.findall(r"const (\w+) = (\d+);", source)}
    document = json.loads((ROOT / "generated" / "openapi.json").read_text("utf-8"))
    parameters = document["paths"]["/data/candles/{symbol}"]["get"]["parameters"]
    (limit,) = (each["schema"] for each in parameters if each.get("name") == "limit")
    assert bounds == {
        "MAX_TIMEFRAME": facts.TIMEFRAME_MAXIMUM,
        "MAX_INITIAL_CANDLES": facts.CANDLE_COUNT_MAXIMUM,
        "MAX_PAGE": limit["maximum"],
    }


def test_the_page_needs_no_other_host_and_nothing_inline() -> None:
    page = (CONSOLE / "console.html").read_text("utf-8")
    assert set(re.findall(r'(?:src|href)="((?:\w+:)?//[^"]*)"', page)) == {
        "https://www.tradingview.com/"
    }
    assert not re.search(r"<style|\sstyle=|\son\w+=", page)
    assert set(re.findall(r"<script[^>]*>(.*?)</script>", page)) == {""}
    for file in (*CONSOLE.glob("*.js"), *CONSOLE.glob("*.css")):
        assert not re.search(
            r"https?://|^\s*@import|innerHTML|eval\(", file.read_text("utf-8"), re.MULTILINE
        ), file


@NEEDS_NODE
def test_their_own_tests_pass() -> None:
    tests = sorted(map(str, (HERE / "modules").glob("*.test.js")))
    done = subprocess.run(
        [str(NODE), "--test", *tests], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert int(re.findall(r"^# pass (\d+)$", done.stdout, re.MULTILINE)[0]) >= len(tests)


@NEEDS_PACKAGES
def test_their_types_hold() -> None:
    compiler = PACKAGES / "typescript" / "bin" / "tsc"
    done = subprocess.run(
        [str(NODE), str(compiler), "--noEmit"],
        cwd=HERE, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@NEEDS_PACKAGES
def test_the_types_are_those_of_the_library_that_is_served() -> None:
    packed = PACKAGES / "lightweight-charts" / "dist" / CHARTS.name
    assert packed.read_bytes() == CHARTS.read_bytes()


def test_the_lock_names_no_registry() -> None:
    lock = (HERE / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock
    assert '"integrity"' in lock
