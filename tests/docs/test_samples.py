"""Every code sample of the site is run as it stands, and prints what the page says.

Only addresses and ports are put in: a page's server is the one that its own `make run` starts.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import sys
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, Block

START_SECONDS = 60.0
SAMPLE_SECONDS = 60.0
ENDLESS_SECONDS = 15.0
END_SECONDS = 30.0
RUN = {"sh", "python", "js"}
SHOWN = {"json", "text", ""}
SUCCESS = (
    r'"(success|ready|alive)":true|"status":"healthy"|^\[\[[0-9]|"s":"ok"|^\{"error":\[\],|JOB_OVER'
)
"""What is in the answer to a request that is served."""
ENDED_FIRST = ("audit", "backfill", "reconcile")
"""Commands that open the store themselves, as the pages say."""
ADDRESSES = {"candlecast watch": "ws://{}/ws/stream", "candlecast status": "http://{}"}
"""Of the commands that ask a server: its address, for what is its host and port."""

SAMPLES = {
    path: page.blocks
    for path, page in PAGES.items()
    if any(block.language in RUN for block in page.blocks)
}
RUN_ELSEWHERE = {"/clients.html", "/guides/deploy.html", "/guides/generators.html"}
"""Pages with commands of other programs; tests/interop and tests/generators run those."""
EXAMPLE_DAY = "2026-11-25"
"""The day of files in samples; in a running world it is the last whose candles have all closed."""
LONGEST_CANDLE = timedelta(minutes=173)
"""Of the samples; one that begins yesterday may close today."""
OF_DAYS = {"/guides/frames.html", "/reference/rest.html"}
"""Pages about whole days of history; the market is quiet there, so that they are soon loaded."""
NODE = shutil.which("node")


def test_no_sample_is_of_a_language_that_is_not_run() -> None:
    for path, page in PAGES.items():
        for block in page.blocks:
            assert block.language in RUN | SHOWN, f"{path}: {block}"
    assert {f"/guides/{path.stem}.html" for path in (ROOT / "docs" / "guides").glob("*.md")} <= set(
        SAMPLES
    )


@pytest.mark.parametrize("path", sorted(set(SAMPLES) - RUN_ELSEWHERE))
async def test_the_samples_of_a_page_do_what_it_says(path: str, tmp_path: Path) -> None:
    blocks = SAMPLES[path]
    async with World(tmp_path, has_days=path in OF_DAYS) as world:
        for number, block in enumerate(blocks):
            if block.language not in RUN or block.output:
                continue
            following = blocks[number + 1] if number + 1 < len(blocks) else None
            expected = following.text if following is not None and following.output else None
            await world.run(block, expected)


class World:
    """The programs that a page starts, and the directory that its samples are run in."""

    def __init__(self, directory: Path, *, has_days: bool = False) -> None:
        self.directory = directory
        self.has_days = has_days
        self.programs: list[asyncio.subprocess.Process] = []
        self.places: dict[str, str] = {}
        """Texts of a page, and their replacements here."""
        self.environment = {
            **os.environ,
            "CANDLECAST_PORT": "0",
            # A candle of four hours is whole after five, the day before after three.
            "CANDLECAST_HISTORY": "3d" if has_days else "5h",
            "CANDLECAST_SYMBOLS": "BTCUSDT,ETHUSDT",
            "CANDLECAST_STORE": f"chdb:///{directory}/store",
            "PYTHONPATH": str(ROOT),
        }

    async def __aenter__(self) -> World:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    async def end(self) -> None:
        """End the programs, as Ctrl-C would."""
        for program in self.programs:
            if program.returncode is None:
                os.killpg(program.pid, signal.SIGINT)
            async with asyncio.timeout(END_SECONDS):
                await program.wait()
        self.programs.clear()

    async def run(self, block: Block, expected: str | None) -> None:
        if block.language == "sh":
            await self._shell(block.text, expected)
            return
        if "localhost:8080" not in self.places:
            await self._start("make run")
        if block.language == "python":
            out = await self._finish([sys.executable, "-c", self._here(block.text)])
        else:
            out = await self._node(self._here(block.text), endless=expected is None)
        held(out, expected)

    async def _shell(self, text: str, expected: str | None) -> None:
        said = ""
        for line in text.splitlines():
            words = self._here(line)
            if line == "make run" or " mock " in line:
                await self._start(line)
                continue
            if any(f"candlecast {name}" in line for name in ENDED_FIRST):
                await self.end()
            elif re.search(r"localhost:8080|candlecast (watch|status)", line):
                if "localhost:8080" not in self.places:
                    await self._start("make run")
                words = self._here(line) + self._url(line)
            if words.startswith("curl"):
                words = words.replace("curl", "curl --fail-with-body --silent --show-error", 1)
                if expected is not None and '"error"' in expected:
                    words = words.replace("--fail-with-body ", "")
            if "DELETE" in words and "/admin/jobs/" in words:
                words = words.replace("--fail-with-body ", "")  # the job is over by then
            out = await self._finish(["sh", "-c", words])
            if words.startswith("curl") and expected is None and EXAMPLE_DAY not in line:
                assert re.search(SUCCESS, out), out
            said += out
        assert said or expected is None
        held(said, expected)

    def _here(self, text: str) -> str:
        """A sample with the addresses and the days of this world."""
        closed = datetime.now(UTC) - timedelta(days=1) - LONGEST_CANDLE
        text = text.replace(EXAMPLE_DAY, f"{closed:%Y-%m-%d}")
        for page, here in self.places.items():
            text = text.replace(page, here)
        programs = {"candlecast": f"{sys.executable} -m server.cli", "python": sys.executable}
        return re.sub(r"\.venv/bin/(\w+)", lambda found: programs[found[1]], text)

    def _url(self, line: str) -> str:
        """The option that points a command at the server of this world."""
        for command, address in ADDRESSES.items():
            if command in line:
                return " --url " + address.format(self.places["localhost:8080"])
        return ""

    async def _start(self, line: str) -> None:
        """Start what a page says to start, on a free port, and wait until it serves."""
        words, is_server = self._here(line), line == "make run"
        if is_server:
            if "localhost:8080" in self.places:
                return
            # What `make setup` has installed is there: it is not installed again.
            environment = Path(sys.prefix)
            words = f"make -o {environment}/.run VENV={environment} run"
            if self.has_days:
                quiet = "--simulator='--symbols BTCUSDT,ETHUSDT --rate 0.1'"
                words = f"{sys.executable} -m server.cli serve {quiet}"
        words = re.sub(r"--port \d+", "--port 0", words)
        program = await asyncio.create_subprocess_exec(
            *("sh", "-c", f"exec {words}"),
            cwd=ROOT,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        self.programs.append(program)
        assert program.stdout is not None
        async with asyncio.timeout(START_SECONDS):
            while not (found := re.search(r"serves \w+://([\w.:]+)", line)):
                line = (await program.stdout.readline()).decode()
                assert line, f"`{words}` ended"
        if is_server:
            self.places["localhost:8080"] = found[1]
            await self._complete(found[1])
        else:
            self.places["localhost:8090"] = found[1]

    async def _complete(self, host: str) -> None:
        """Wait until the server has loaded its history."""

        def loaded() -> bool:
            with urllib.request.urlopen(f"http://{host}/api/v1/tickers/") as answer:
                tickers = json.load(answer)["data"]
            states = [each["data_status"]["data_quality"] for each in tickers]
            return len(states) == 2 and set(states) == {"complete"}

        async with asyncio.timeout(START_SECONDS):
            while not await asyncio.to_thread(loaded):  # noqa: ASYNC110  # in another process
                await asyncio.sleep(0.1)

    async def _finish(self, words: list[str]) -> str:
        """Run a program to its end, which has to be a good one; gives what it printed."""
        program = await asyncio.create_subprocess_exec(
            *words,
            cwd=ROOT if words[0] == "sh" else self.directory,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(SAMPLE_SECONDS):
            out, wrong = await program.communicate()
        assert program.returncode == 0, f"{words}\n{out.decode()}\n{wrong.decode()}"
        return out.decode(errors="replace")  # a file is no text

    async def _node(self, text: str, *, endless: bool) -> str:
        if NODE is None:
            pytest.skip("needs Node.js")
        file = self.directory / "sample.mjs"
        file.write_text(text, "utf-8")
        words = [NODE, "--experimental-websocket", "--no-warnings", str(file)]
        if not endless:
            return await self._finish(words)
        program = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
        assert program.stdout is not None
        try:
            async with asyncio.timeout(ENDLESS_SECONDS):
                lines = [await program.stdout.readline() for _ in range(2)]
        finally:
            program.terminate()
            await program.wait()
        assert all(json.loads(line)["type"] for line in lines)
        return b"".join(lines).decode()


def held(out: str, expected: str | None) -> None:
    """The output matches the page, except for white space; "…" matches anything."""
    if expected is None:
        return
    parts = ["".join(part.split()) for part in expected.split("…")]
    pattern = ".*?".join(map(re.escape, parts))
    assert re.fullmatch(pattern, "".join(out.split()), re.DOTALL), f"{out}\nis not\n{expected}"
