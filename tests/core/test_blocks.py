from __future__ import annotations

from ingest.core.blocks import Block, Blocks, Series, Subject
from ingest.core.rows import Rows

SUBJECT = Subject("candles", "BTCUSDT")
OTHER = Subject("candles", "ETHUSDT")
SERIES = Series(SUBJECT, "one form")
BLOCK_ROWS = Rows(range(10), [b"0123456789"] * 10)


def keep(blocks: Blocks, number: int, series: Series = SERIES) -> None:
    until = (number + 1) * 10
    with blocks.reading(series.subject, until) as reading:
        blocks.keep(reading, series, number, Block(BLOCK_ROWS, until))


def kept(blocks: Blocks, series: Series = SERIES) -> list[int]:
    return [number for number in range(20) if blocks.part(series, number) is not None]


def test_the_least_used_go_first_and_the_budget_holds() -> None:
    blocks = Blocks(4 * BLOCK_ROWS.size)
    for number in range(4):
        keep(blocks, number)
    assert blocks.get(SERIES, 0, 10) is not None
    keep(blocks, 4)
    assert kept(blocks) == [0, 2, 3, 4]
    assert blocks.usage.bytes == blocks.budget_bytes
    keep(blocks, 4)
    assert kept(blocks) == [0, 2, 3, 4], "what is kept twice takes its room once"
    blocks.clear()
    assert (kept(blocks), blocks.usage.bytes) == ([], 0)


def test_rows_that_need_more_than_the_budget_are_not_kept() -> None:
    blocks = Blocks(BLOCK_ROWS.size - 1)
    keep(blocks, 0)
    assert (kept(blocks), blocks.usage.bytes) == ([], 0)


def test_a_change_drops_what_reaches_beyond_its_beginning_of_its_subject_alone() -> None:
    blocks = Blocks(10**6)
    for number in range(4):
        keep(blocks, number)
        keep(blocks, number, Series(SUBJECT, "another form"))
        keep(blocks, number, Series(OTHER, "one form"))
    with blocks.changing({SUBJECT: 20}):
        assert kept(blocks) == kept(blocks, Series(SUBJECT, "another form")) == [0, 1]
        assert kept(blocks, Series(OTHER, "one form")) == [0, 1, 2, 3]
        keep(blocks, 1)
        keep(blocks, 2)
        assert kept(blocks) == [0, 1], "what is read during a change is not kept"
    keep(blocks, 2)
    assert kept(blocks) == [0, 1, 2]


def test_a_read_that_a_change_came_into_is_void() -> None:
    blocks = Blocks(10**6)
    with blocks.reading(SUBJECT, 20) as early, blocks.reading(SUBJECT, 40) as late:
        with blocks.changing({SUBJECT: 20}):
            pass
        assert (early.is_void, late.is_void) == (False, True)
        blocks.keep(late, SERIES, 0, Block(BLOCK_ROWS, 10))
        assert kept(blocks) == []
        blocks.clear()
        assert early.is_void


def test_a_block_serves_those_who_need_no_more_than_it_holds() -> None:
    blocks = Blocks(10**6)
    with blocks.reading(SUBJECT, 15) as reading:
        blocks.keep(reading, SERIES, 1, Block(BLOCK_ROWS, 15))
    assert blocks.get(SERIES, 1, 15) is not None
    assert blocks.get(SERIES, 1, 16) is None
    assert (blocks.usage.hits, blocks.usage.misses) == (1, 1)
