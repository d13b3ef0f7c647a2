"""Recorded trades: the CSV files of the exchange's public archive, plain, gzip or zip."""

import gzip
import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from simulator.assets import Asset, recorded
from simulator.errors import SimulatorError
from simulator.trades import E8, Ints, Trades

MAX_RECORDING_BYTES = 4 << 30
"""The maximum size of an unpacked recording, which is read into memory."""

MAX_E8 = 2**63 - 1
MICROSECONDS_FROM = 10**14
"""Timestamps at or above this are microseconds (1973 in us, 5138 in ms)."""

_COLUMNS = ["id", "price", "quantity", "first", "last", "time", "buyer_maker", "best_match"]
_E8_TYPE = pa.decimal128(27, 8)
_TYPES = {
    "id": pa.int64(),
    "price": _E8_TYPE,
    "quantity": _E8_TYPE,
    "first": pa.int64(),
    "last": pa.int64(),
    "time": pa.int64(),
    "buyer_maker": pa.bool_(),
    "best_match": pa.bool_(),
}


class Recording:
    """A file of recorded trades as a source. Ids ascend and may have gaps."""

    def __init__(self, trades: Trades) -> None:
        if not len(trades):
            raise SimulatorError("the recording has no trades")
        if (np.diff(trades.ids) <= 0).any():
            raise SimulatorError(
                "the recording's ids do not ascend: sort it by id, without repeats"
            )
        self._trades = trades
        self._released: Ints = np.maximum.accumulate(trades.time_us)

    @property
    def first_id(self) -> int:
        """The lowest id of the recording."""
        return int(self._trades.ids[0])

    @property
    def start_us(self) -> int:
        """The time of the first trade."""
        return int(self._released[0])

    @property
    def end_us(self) -> int:
        """The time of the last trade."""
        return int(self._released[-1])

    def __len__(self) -> int:
        return len(self._trades)

    def asset(self, symbol: str) -> Asset:
        """Describe the recorded symbol."""
        return recorded(symbol, self._trades.price, self._trades.quantity)

    def time_of(self, index: int) -> int:
        """Return the time of the trade at a position of the file, in microseconds."""
        return int(self._released[index])

    def slice(self, from_id: int, limit: int) -> Trades:
        """Return at most `limit` trades with ids from `from_id` on."""
        start = int(np.searchsorted(self._trades.ids, from_id))
        return self._trades[start : start + limit]

    def id_at(self, time_us: int) -> int:
        """Find the first trade at or after a time (one past the last id if none)."""
        index = int(np.searchsorted(self._released, time_us))
        ids = self._trades.ids
        return int(ids[index]) if index < len(ids) else int(ids[-1]) + 1

    def last_id(self, now_us: int) -> int:
        """Find the last trade at or before a time (`first_id - 1` if none)."""
        index = int(np.searchsorted(self._released, now_us, side="right"))
        return int(self._trades.ids[index - 1]) if index else self.first_id - 1


def symbol_of(path: Path) -> str:
    """Parse the symbol from a file name such as `BTCUSDT-aggTrades-2020-01-02.zip`."""
    match = re.match(r"([^\Wa-z]{2,20})-", path.name)
    if match is None:
        raise SimulatorError(f"{path}: no symbol in the file name; use --replay SYMBOL={path}")
    return match[1]


def load(path: Path) -> Recording:
    """Read a recording of 7 or 8 columns, with or without a header, in ms or us."""
    try:
        return Recording(parse(_unpack(path)))
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise SimulatorError(f"{path}: cannot be read: {error}") from None
    except (pa.ArrowInvalid, SimulatorError) as error:
        raise SimulatorError(f"{path}: not a file of recorded trades: {error}") from None


def parse(content: bytes) -> Trades:
    """Parse the text of a recording."""
    head = content[:4096].split(b"\n", 1)[0].strip()
    columns = _COLUMNS[: head.count(b",") + 1]
    if len(columns) < 7:
        raise SimulatorError("a trade has 7 or 8 columns: id, price, qty, firstId, lastId, ...")
    table = pa_csv.read_csv(
        io.BytesIO(content),
        read_options=pa_csv.ReadOptions(
            column_names=columns, skip_rows=0 if head[:1].isdigit() else 1
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types={name: _TYPES[name] for name in columns},
            true_values=["True", "true", "TRUE", "1"],
            false_values=["False", "false", "FALSE", "0"],
        ),
    )
    if any(table[name].null_count for name in columns):
        raise SimulatorError("a field is empty")
    time = table["time"].to_numpy()
    best_match = (
        table["best_match"].to_numpy() if "best_match" in columns else np.ones(len(time), np.bool_)
    )
    price, quantity = _e8(table["price"]), _e8(table["quantity"])
    if (price.astype(np.float64) * (quantity / E8) > MAX_E8 / 2).any():
        raise SimulatorError("a trade is worth more than this simulator can count (4.6e10)")
    return Trades(
        ids=table["id"].to_numpy(),
        price=price,
        quantity=quantity,
        first=table["first"].to_numpy(),
        last=table["last"].to_numpy(),
        time_us=np.where(time >= MICROSECONDS_FROM, time, time * 1000),
        buyer_maker=table["buyer_maker"].to_numpy().astype(np.bool_),
        best_match=best_match.astype(np.bool_),
    )


def _e8(column: pa.ChunkedArray) -> Ints:
    """Extract the integers of a decimal column: 128 bits each, little-endian."""
    parts = []
    for chunk in column.chunks:
        words = np.frombuffer(chunk.buffers()[1], np.int64).reshape(-1, 2)
        words = words[chunk.offset : chunk.offset + len(chunk)]
        if (words[:, 1] != 0).any() or (words[:, 0] < 0).any():
            raise SimulatorError("a price or quantity is negative or above 9.2e10")
        parts.append(words[:, 0])
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _unpack(path: Path) -> bytes:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if len(names) != 1:
                raise SimulatorError("the zip must hold exactly one file")
            with archive.open(names[0]) as file:
                content = file.read(MAX_RECORDING_BYTES + 1)
    elif path.suffix == ".gz":
        with gzip.open(path) as file:
            content = file.read(MAX_RECORDING_BYTES + 1)
    else:
        with path.open("rb") as file:
            content = file.read(MAX_RECORDING_BYTES + 1)
    if len(content) > MAX_RECORDING_BYTES:
        raise SimulatorError(f"larger than {MAX_RECORDING_BYTES >> 30} GiB unpacked; split it")
    return content
