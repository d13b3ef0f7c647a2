"""Messages of the exchange, well-formed and hostile, as they come out of the parsers."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.binance import parse
from ingest.binance.messages import (
    Answer,
    Batch,
    ServerShutdown,
    UnknownEvent,
    stream_batch,
)
from ingest.binance.parse import archive_row, rest_page
from ingest.core.errors import MalformedTrade
from ingest.core.fixed import ONE
from ingest.core.trade import Trade

RECORDINGS = Path(__file__).parents[2].parent / "shared" / "data" / "binance"
recorded = pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"no recordings in {RECORDINGS}")

FIELDS = {
    "a": 640283266,
    "p": "58942.01000000",
    "q": "0.00035600",
    "f": 716849523,
    "l": 716849524,
    "T": 1616176861893,
    "m": False,
    "M": True,
}
TRADE = Trade(640283266, 5894201000000, 35600, 716849523, 716849524, 1616176861893, False)


def row(**changes: object) -> dict[str, object]:
    return FIELDS | changes


def event(**changes: object) -> dict[str, object]:
    return {"e": "aggTrade", "E": 1616176861895, "s": "BTCUSDT"} | FIELDS | changes


def combined(**changes: object) -> bytes:
    data = event(**changes)
    stream = f"{str(data['s']).lower()}@aggTrade"
    return json.dumps({"stream": stream, "data": data}).encode()


def raw(**changes: object) -> bytes:
    return json.dumps(event(**changes)).encode()


WRONG = {
    "NaN price": {"p": "NaN"},
    "price that is a number": {"p": 58942.01},
    "negative price": {"p": "-1.00000000"},
    "zero price": {"p": "0.00000000"},
    "price with an exponent": {"p": "1e5"},
    "price of 2^63": {"p": str(2**63)},
    "nine decimals": {"p": "1.000000001"},
    "empty quantity": {"q": ""},
    "negative quantity": {"q": "-0.1"},
    "id of 2^63": {"a": 2**63},
    "negative id": {"a": -1},
    "id that is text": {"a": "640283266"},
    "fractional id": {"a": 1.5},
    "no id": {"a": None},
    "last raw id before the first": {"l": 1},
    "negative time": {"T": -1},
    "time after the year 9999": {"T": 253402300800000000},
    "time of 40 digits": {"T": 10**40},
    "maker that is text": {"m": "true"},
}


@pytest.mark.parametrize("message", [combined(), raw(), combined(X="new field"), raw(y=[{}])])
def test_a_trade_is_read_from_either_kind_of_stream_with_unknown_fields(message: bytes) -> None:
    assert stream_batch([message]) == Batch({"BTCUSDT": [TRADE]}, [], [])


def test_trades_keep_their_order_within_each_symbol() -> None:
    messages = [
        combined(a=7),
        combined(a=3, s="ETHUSDT"),
        raw(a=6),
        combined(a=5),
        combined(a=4, s="ETHUSDT"),
    ]
    trades = stream_batch(messages).trades
    assert {symbol: [t.aggregate_id for t in some] for symbol, some in trades.items()} == {
        "BTCUSDT": [7, 6, 5],
        "ETHUSDT": [3, 4],
    }


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG.keys())
@pytest.mark.parametrize("kind", [combined, raw])
def test_a_wrong_trade_is_set_aside_with_its_symbol_and_the_next_is_read(
    kind: type, changes: dict[str, object]
) -> None:
    wrong = kind(**changes)
    assert not stream_batch([wrong]).trades
    batch = stream_batch([wrong, combined()])
    assert batch.trades == {"BTCUSDT": [TRADE]}
    [malformed] = batch.malformed
    assert (malformed.symbol, malformed.raw) == ("BTCUSDT", wrong)
    assert isinstance(malformed.error, MalformedTrade)


def test_a_trade_of_another_symbol_than_its_stream_belongs_to_nobody() -> None:
    wrong = combined(a=7, s="ETHUSDT").replace(b"ethusdt@", b"btcusdt@")
    batch = stream_batch([wrong, combined()])
    assert batch.trades == {"BTCUSDT": [TRADE]}
    [malformed] = batch.malformed
    assert (malformed.symbol, malformed.aggregate_id) == (None, None)


def test_times_in_microseconds_are_distinguished_from_milliseconds() -> None:
    time_us = TRADE.timestamp * 1000 + 999
    assert stream_batch([combined(T=time_us), raw(T=time_us)]).trades == {"BTCUSDT": [TRADE] * 2}
    next_id = TRADE.aggregate_id + 1
    page = rest_page(json.dumps([row(T=time_us), row(a=next_id, T=time_us, p="x")]).encode())
    assert page.trades[0].timestamp == TRADE.timestamp
    assert [m.aggregate_id for m in page.malformed] == [next_id]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"p": "x"}, 7), ({"p": "x", "a": 2**63}, None), ({"a": 1.5}, None), ({"a": -1}, None)],
)
def test_the_id_of_a_malformed_trade_is_kept_where_it_can_be_read(
    changes: dict[str, object], expected: int | None
) -> None:
    [malformed] = stream_batch([combined(**{"a": 7, **changes})]).malformed
    assert malformed.aggregate_id == expected


@pytest.mark.parametrize("length", [0, 1, 20, 60, 120, 200])
def test_a_cut_message_is_malformed(length: int) -> None:
    cut = combined()[:length]
    batch = stream_batch([cut])
    assert [m.raw for m in batch.malformed] == [cut]
    assert not batch.trades


@pytest.mark.parametrize(
    "message",
    [b"null", b"[1]", b'{"a":NaN}', b"\xff\xfe", b'{"x":' + b"[" * 100_000, b'{"a":1}{"a":2}'],
)
def test_what_is_no_json_object_is_malformed(message: bytes) -> None:
    assert [m.raw for m in stream_batch([message]).malformed] == [message]


def test_a_name_that_is_no_text_is_nobodys() -> None:
    wrong = combined().replace(b"BTCUSDT", b"BTC\xffUSDT")
    batch = stream_batch([wrong, combined()])
    assert [(m.symbol, m.raw) for m in batch.malformed] == [(None, wrong)]
    assert batch.trades == {"BTCUSDT": [TRADE]}


def test_the_error_of_a_long_message_shows_only_its_beginning() -> None:
    [malformed] = stream_batch([combined(p="9" * 100_000)]).malformed
    assert len(str(malformed.error)) < 1000


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"result": None, "id": 1}, Answer(1, None)),
        ({"result": ["btcusdt@aggTrade"], "id": 3}, Answer(3, None)),
        ({"code": 2, "msg": "Invalid request", "id": 4}, Answer(4, "2: Invalid request")),
        ({"code": 0, "msg": "Unknown property"}, Answer(None, "0: Unknown property")),
        ({"stream": "!serverShutdown", "data": {"e": "serverShutdown"}}, ServerShutdown()),
        ({"e": "serverShutdown", "E": 1}, ServerShutdown()),
        ({"stream": "btcusdt@depth", "data": {"e": "depthUpdate"}}, UnknownEvent("btcusdt@depth")),
        ({"stream": "!markPrice@arr", "data": [1]}, UnknownEvent("!markPrice@arr")),
        ({"stream": "new", "data": 5, "code": None}, UnknownEvent("new")),
        ({"e": "news"}, UnknownEvent("news")),
        ({}, UnknownEvent("unnamed")),
    ],
)
def test_other_messages_are_distinguished(message: object, expected: object) -> None:
    assert stream_batch([json.dumps(message).encode()]) == Batch({}, [expected], [])  # type: ignore[list-item]  # any event


def test_an_error_answer_of_the_newer_form_is_an_answer() -> None:
    message = {"error": {"code": 2, "msg": "Invalid request"}, "id": 9}
    [answer] = stream_batch([json.dumps(message).encode()]).events
    assert isinstance(answer, Answer)
    assert answer.id == 9
    assert "Invalid request" in str(answer.error)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
hostile = (
    st.binary(max_size=200)
    | st.builds(lambda value: json.dumps(value).encode(), json_values)
    | st.builds(
        lambda data: json.dumps({"stream": "x@aggTrade", "data": data}).encode(), json_values
    )
    | st.builds(
        lambda name, value: combined(**{name: value}),
        st.sampled_from([*FIELDS, "e", "s"]),
        json_values,
    )
)


PLACE = r" \(byte \d+\)| - at `.*|; it came as .*"
"""Where in a message its fault is: one kind of stream wraps it."""

near_bounds = st.one_of(
    json_values,
    st.sampled_from(
        [-1, 0, 1, 10**9, 10**14 - 1, 10**14, 2**63 - 1, 2**63, 2**64, 10**15, 253402300799999]
    ),
    st.sampled_from(["0", "0.00000000", "1.00000000", "1e5", "+1", "١.00000000", " 1", "1_0"]),
    st.sampled_from(["92233720368.54775807", "92233720368.54775808", "100000.00000001"]),
)


@given(st.dictionaries(st.sampled_from("apqflTm"), near_bounds, max_size=4))
def test_a_trade_has_the_same_verdict_in_either_kind_of_stream(changes: dict[str, object]) -> None:
    """The usual case of a combined stream is decided in another way than all the rest."""
    one, other = stream_batch([combined(**changes)]), stream_batch([raw(**changes)])
    assert one.trades == other.trades
    assert [(m.symbol, m.aggregate_id) for m in one.malformed] == [
        (m.symbol, m.aggregate_id) for m in other.malformed
    ]
    for ours, theirs in zip(one.malformed, other.malformed, strict=True):
        reasons = [re.sub(PLACE, "", str(m.error)) for m in (ours, theirs)]
        assert reasons[0] == reasons[1]


def test_tombstones_are_trades_of_the_stream() -> None:
    tombstone = {"p": "0.00000000", "q": "0.00000000", "f": -1, "l": -1}
    [trade] = stream_batch([combined(**tombstone)]).trades["BTCUSDT"]
    assert trade.is_tombstone


def test_more_texts_than_are_remembered_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse, "MAX_REMEMBERED", 3)
    messages = [combined(p=f"{n}.00000000") for n in range(1, 20)]
    [trades] = stream_batch(messages * 2).trades.values()
    assert [trade.price // ONE for trade in trades] == [*range(1, 20)] * 2


def test_long_texts_are_not_remembered() -> None:
    texts = parse.Memo(str.upper)
    assert (texts["x" * 64], texts["y" * 65]) == ("X" * 64, "Y" * 65)
    assert list(texts) == ["x" * 64]


@given(st.lists(hostile, max_size=5))
def test_every_message_comes_out_exactly_once(messages: list[bytes]) -> None:
    batch = stream_batch(messages)
    trades = sum(map(len, batch.trades.values()))
    assert trades + len(batch.events) + len(batch.malformed) == len(messages)


@given(st.lists(hostile, max_size=5))
def test_hostile_messages_do_not_disturb_the_trades_between_them(messages: list[bytes]) -> None:
    marked = [combined(s="MARKED", a=n) for n in range(len(messages))]
    mixed = [message for pair in zip(messages, marked, strict=True) for message in pair]
    marked_trades = stream_batch(mixed).trades.get("MARKED", [])
    assert [t.aggregate_id for t in marked_trades] == list(range(len(messages)))


def test_a_page_gives_its_rows_in_order_with_tombstones() -> None:
    tombstone = row(a=2, p="0", q="0", f=-1, l=-1)
    page = rest_page(json.dumps([row(a=1), tombstone, row(a=3)]).encode(), "BTCUSDT")
    assert [(t.aggregate_id, t.is_tombstone) for t in page.trades] == [
        (1, False),
        (2, True),
        (3, False),
    ]
    assert page.malformed == []


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_row_leaves_the_rest_of_its_page_usable(changes: dict[str, object]) -> None:
    page = rest_page(json.dumps([row(a=1, f=1), row(**changes), row(a=3)]).encode(), "BTCUSDT")
    assert [t.aggregate_id for t in page.trades] == [1, 3]
    assert [(m.symbol, json.loads(m.raw)) for m in page.malformed] == [("BTCUSDT", row(**changes))]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"code":-1121}', b'[{"a":1}', b"<html>"])
def test_an_answer_that_is_no_array_is_refused_whole(body: bytes) -> None:
    with pytest.raises(MalformedTrade):
        rest_page(body)


def test_archive_rows_of_spot_and_futures_in_either_unit_of_time_are_equal() -> None:
    fields = "640283266,58942.01000000,0.00035600,716849523,716849524"
    lines = [
        f"{fields},1616176861893,False,True\n",
        f"{fields},1616176861893999,False,True\r\n",
        f"{fields},1616176861893,false",
    ]
    assert [archive_row(line.encode()) for line in lines] == [TRADE] * 3


@pytest.mark.parametrize(
    "line",
    [b"", b"\n", b"agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,x\n"],
)
def test_headers_and_empty_lines_of_the_archive_are_no_trades(line: bytes) -> None:
    assert archive_row(line) is None


@pytest.mark.parametrize(
    "line",
    [
        b"1,2.0,3.0,4,5,1616176861893",
        b"1,2.0,3.0,4,5,1616176861893,maybe,True",
        b"1,-2.0,3.0,4,5,1616176861893,True,True",
        b"1_0,2.0,3.0,4,5,1616176861893,True,True",
        b"1,2.0,3.0,4,5, 1616176861893,True,True",
        b"1,NaN,3.0,4,5,1616176861893,True,True",
        b"\xff,2.0,3.0,4,5,1616176861893,True,True",
        b"99999999999999999999,2.0,3.0,4,5,1616176861893,True,True",
    ],
)
def test_a_wrong_archive_row_is_malformed(line: bytes) -> None:
    with pytest.raises(MalformedTrade):
        archive_row(line)


@recorded
def test_recorded_messages_are_all_trades_or_classified() -> None:
    lines = (RECORDINGS / "messages.jsonl").read_bytes().splitlines()
    batch = stream_batch(lines)
    assert sum(map(len, batch.trades.values())) == sum(b'"aggTrade"' in line for line in lines) > 0
    assert len(batch.events) == len(lines) - 5
    assert batch.malformed == []


@recorded
def test_a_recorded_session_is_all_trades_or_classified() -> None:
    lines = (RECORDINGS / "ws-combined-2021-10-12.txt").read_bytes().splitlines()
    messages = [line.split(b": ", 1)[1] for line in lines if b": {" in line]
    batch = stream_batch(messages)
    assert {symbol: len(some) for symbol, some in batch.trades.items()} == {
        "NKNUSDT": 1,
        "LRCBTC": 1,
    }
    assert len(batch.events) == len(messages) - 2
    assert batch.malformed == []


@recorded
def test_a_recorded_archive_is_read_without_a_hole() -> None:
    with gzip.open(RECORDINGS / "XRPETH-aggTrades-2019-10-11_13.csv.gz") as lines:
        trades = [archive_row(line) for line in lines]
    ids = [trade.aggregate_id for trade in trades if trade is not None]
    assert ids == list(range(ids[0], ids[0] + 12_477))


def test_rows_after_the_last_readable_id_are_counted() -> None:
    first = TRADE.aggregate_id
    rows = [row(), {"p": "x"}, row(a=first + 2, p="x"), {}, {"a": None}]
    page = rest_page(json.dumps(rows).encode())
    assert (page.last_id, page.nameless, page.trailing) == (first + 2, 3, 2)


def test_an_id_that_is_far_from_all_others_is_not_believed() -> None:
    page = rest_page(json.dumps([row(), row(a=TRADE.aggregate_id + 5_000, p="x")]).encode())
    assert (page.last_id, page.nameless, page.trailing) == (TRADE.aggregate_id, 1, 1)
