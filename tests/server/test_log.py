"""The log that is kept in memory, and `GET /admin/log`, which shows it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from generated.native.facts import LOG_TEXT_MAX_LENGTH, LogLevel
from server.log import KEPT_LINES, LONGEST_NAME, KeptLog
from server.redaction import HIDDEN
from tests.running import server, settings, simulator

LOG = logging.getLogger("tests.server.test_log")
LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)


@pytest.fixture(autouse=True)
def every_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


def everything(kept: KeptLog, level: LogLevel = LogLevel.DEBUG) -> list[str]:
    return [line.message for line in kept.newest(KEPT_LINES, level, None)]


def test_lines_are_kept_oldest_first_with_ids_that_rise_by_one() -> None:
    with KeptLog().attached() as kept:
        for number in range(10):
            LOG.info("line %d", number)
        lines = kept.newest(5, LogLevel.DEBUG, None)
        assert [line.message for line in lines] == [f"line {number}" for number in range(5, 10)]
        assert [line.id - lines[0].id for line in lines] == list(range(5))
        assert {line.logger for line in lines} == {LOG.name}
        assert kept.newest(5, LogLevel.DEBUG, lines[2].id) == lines[3:]
        assert kept.newest(1, LogLevel.DEBUG, lines[2].id) == lines[4:]
        assert kept.newest(5, LogLevel.DEBUG, lines[4].id) == []
        assert kept.newest(5, LogLevel.DEBUG, 2**53) == []
    LOG.info("after it was detached")
    assert everything(kept)[-1] == "line 9"


def test_a_later_run_has_higher_ids() -> None:
    with KeptLog().attached() as earlier:
        LOG.info("earlier")
    [before] = earlier.newest(1, LogLevel.DEBUG, None)
    with KeptLog().attached() as later:
        LOG.info("later")
    [after] = later.newest(1, LogLevel.DEBUG, before.id - 1)
    assert after.id >= before.id


@pytest.mark.parametrize(
    ("level", "count"), [("debug", 5), ("info", 4), ("warning", 3), ("error", 2)]
)
def test_lower_levels_are_left_out(level: str, count: int) -> None:
    with KeptLog().attached() as kept:
        for number in LEVELS:
            LOG.log(number, "at %d", number)
    assert everything(kept, LogLevel(level)) == [f"at {number}" for number in LEVELS[5 - count :]]
    highest = kept.newest(2, LogLevel.DEBUG, None)
    assert [line.level for line in highest] == [LogLevel.ERROR] * 2


def test_a_flood_from_many_threads_leaves_the_newest_without_a_gap() -> None:
    def flood() -> None:
        for number in range(2000):
            LOG.debug("flood %d", number)

    with KeptLog().attached() as kept:
        threads = [threading.Thread(target=flood) for _ in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            ids = [line.id for line in kept.newest(1000, LogLevel.DEBUG, None)]
            assert ids == list(range(ids[0], ids[0] + len(ids))) if ids else True
        LOG.debug("the last one")
        lines = kept.newest(10 * KEPT_LINES, LogLevel.DEBUG, None)
    assert len(lines) == KEPT_LINES
    assert [line.id - lines[0].id for line in lines] == list(range(KEPT_LINES))
    assert lines[-1].message == "the last one"


def test_lines_are_of_bounded_length() -> None:
    with KeptLog().attached() as kept:
        LOG.info("%s", "x" * 1_000_000)
        logging.getLogger("n" * 1000).info("short")
    [long, short] = kept.newest(2, LogLevel.DEBUG, None)
    assert len(long.message) == LOG_TEXT_MAX_LENGTH
    assert long.message.endswith("x…")
    assert (len(short.logger), short.message) == (LONGEST_NAME, "short")


def test_an_error_is_named() -> None:
    with KeptLog().attached() as kept:
        try:
            raise ValueError("no such thing")
        except ValueError:
            LOG.exception("It failed")
    assert everything(kept) == ["It failed: ValueError: no such thing"]


def test_what_cannot_be_written_is_left_out_and_the_rest_kept(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    kept = KeptLog()  # not attached: what collects the log of the tests cannot write it either
    for text, value in (("%d", "text"), ("half a character: %s", "\ud800")):
        kept.handle(LOG.makeRecord(LOG.name, logging.INFO, "", 0, text, (value,), None))
    [line] = kept.newest(2, LogLevel.DEBUG, None)
    assert line.message == "half a character: ?"


def test_secrets_are_hidden(tmp_path: Path) -> None:
    chosen = settings("http://127.0.0.1:1", tmp_path, kraken_api_key="open-sesame")
    hosted = settings(
        "http://127.0.0.1:1", tmp_path, store="https://bob:p%40ss@db.example.org:8443/market"
    )
    with KeptLog(chosen.secrets + hosted.secrets).attached() as kept:
        LOG.info("key %s of %s, or %s", chosen.kraken_api_key, hosted.store, "p@ss")
    assert everything(kept) == [
        f"key {HIDDEN} of https://bob:{HIDDEN}@db.example.org:8443/market, or {HIDDEN}"
    ]


# Over REST ---------------------------------------------------------------------------------------


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    async with (
        simulator("--symbols", "BTCUSDT", "--rate", "1") as exchange,
        server(settings(exchange, tmp_path, symbols="BTCUSDT", history="5m")) as (_, url),
    ):
        yield url


async def get(url: str, **query: object) -> tuple[int, Any]:
    given = {name: str(value) for name, value in query.items()}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/api/v1/admin/log", params=given) as reply,
    ):
        return reply.status, await reply.json()


async def test_a_console_polls_the_log_of_a_server(url: str) -> None:
    lines: list[dict[str, Any]] = []
    async with asyncio.timeout(60):
        while not any(line["message"] == "BTCUSDT is complete" for line in lines):
            newest = {"after": lines[-1]["id"]} if lines else {}
            status, reply = await get(url, **newest)
            assert (status, reply["success"]) == (200, True)
            lines += reply["data"]
            await asyncio.sleep(0.05)
    [complete] = [line for line in lines if line["message"] == "BTCUSDT is complete"]
    assert (complete["level"], complete["logger"]) == ("info", "ingest.pipeline.completeness")
    ids = [line["id"] for line in lines]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    LOG.error("Something failed")
    _, reply = await get(url, level="error", limit=1)
    assert [line["message"] for line in reply["data"]] == ["Something failed"]
    for number in range(KEPT_LINES + 500):
        LOG.info("line %d", number)
    _, reply = await get(url, limit=1000, level="info")
    assert len(reply["data"]) == 1000
    assert len((await get(url))[1]["data"]) == 200


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0}, {"limit": 1001}, {"limit": "many"}, {"level": "critical"}, {"level": "INFO"},
        {"after": -1}, {"after": "x"}, {"after": 2**53}, {"since": 1},
    ],
    ids=str,
)  # fmt: skip
async def test_what_breaks_a_bound_is_refused(url: str, query: dict[str, object]) -> None:
    status, reply = await get(url, **query)
    assert (status, reply["error_code"]) == (400, "INVALID_PARAMETER"), reply
    assert [detail["field"] for detail in reply["details"]] == [f"query.{name}" for name in query]
