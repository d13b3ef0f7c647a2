"""False data of the exchange: unreadable rows, wrong times, wrong newest ids."""

import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from simulator.errors import SimulatorError
from simulator.faults import put

MAX_RANGES: Final = 1000
"""The maximum number of ranges of unreadable ids per symbol."""

FORMS: Final[Mapping[str, Callable[[str], str]]] = {
    "price": put("p", '"1,5"'),
    "quantity": put("q", "null"),
    "id": put("a", '"?"'),
    "empty": lambda _: "{}",
}
"""Corruptions that make a trade invalid; two of them hide its id."""


class Unreadable(NamedTuple):
    """A range of ids whose trades are always sent corrupted, both ends included."""

    from_id: int
    to_id: int
    form: str


class Lies:
    """The false data of one exchange; all of it can be reverted."""

    def __init__(self) -> None:
        self._unreadable: dict[str, list[Unreadable]] = {}
        self._in_microseconds = False
        self._time_ms = 0
        self._newest = 0
        self._until = 0.0

    def spoil(self, symbol: str, from_id: int, to_id: int, form: str) -> None:
        """Make ids unreadable on the stream and over REST."""
        if form not in FORMS:
            raise SimulatorError(f"no form {form!r}; there are {', '.join(FORMS)}")
        if not 0 <= from_id <= to_id:
            raise SimulatorError("unreadable ids need 0 <= from_id <= to_id")
        ranges = self._unreadable.setdefault(symbol, [])
        if len(ranges) >= MAX_RANGES:
            raise SimulatorError(f"at most {MAX_RANGES} ranges of unreadable ids of a symbol")
        ranges.append(Unreadable(from_id, to_id, form))

    def heal(self, symbol: str) -> None:
        """Make all ids of a symbol readable."""
        self._unreadable.pop(symbol, None)

    def write_microseconds(self, on: bool) -> None:  # a switch
        """Send the times of trades in microseconds, or in milliseconds again."""
        self._in_microseconds = on

    def lie(self, *, time_ms: int, newest: int, seconds: float) -> None:
        """Shift the server time by `time_ms` and the newest ids by `newest`, for `seconds`."""
        self._time_ms, self._newest = time_ms, newest
        self._until = time.monotonic() + seconds

    def clear(self) -> None:
        """Revert to true data."""
        self._unreadable.clear()
        self._in_microseconds = False
        self._until = 0.0

    @property
    def time_ms(self) -> int:
        """The current shift of the server time."""
        return self._time_ms if time.monotonic() < self._until else 0

    @property
    def newest(self) -> int:
        """The current shift of the newest trades' ids."""
        return self._newest if time.monotonic() < self._until else 0

    def touches(self, symbol: str) -> bool:
        """Whether the texts of this symbol's trades may be altered."""
        return self._in_microseconds or symbol in self._unreadable

    def texts(self, symbol: str, ids: list[int], texts: list[str]) -> list[str]:
        """Return the texts of trades with these ids as they are sent."""
        if not self.touches(symbol):
            return texts
        result = []
        for number, text in zip(ids, texts, strict=True):
            for spoilt in self._unreadable.get(symbol, ()):
                if spoilt.from_id <= number <= spoilt.to_id:
                    text = FORMS[spoilt.form](text)
            if self._in_microseconds:
                text = _in_microseconds(text)
            result.append(text)
        return result


def _in_microseconds(text: str) -> str:
    head, field, tail = text.partition('"T":')
    time_ms, comma, rest = tail.partition(",")
    return f"{head}{field}{time_ms}000{comma}{rest}"
