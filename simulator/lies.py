"""What the exchange says that is not so: unreadable rows, wrong times, wrong newest ids."""

import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from simulator.errors import SimulatorError
from simulator.faults import put

MAX_RANGES: Final = 1000
"""Most ranges of unreadable ids of one symbol."""

FORMS: Final[Mapping[str, Callable[[str], str]]] = {
    "price": put("p", '"1,5"'),
    "quantity": put("q", "null"),
    "id": put("a", '"?"'),
    "empty": lambda _: "{}",
}
"""Ways in which the text of a trade can be no valid one; two of them hide its id."""


class Unreadable(NamedTuple):
    """Ids whose trades are spoilt wherever they are given, both ends included."""

    from_id: int
    to_id: int
    form: str


class Lies:
    """The lies of one exchange; all of them can be taken back."""

    def __init__(self) -> None:
        self._unreadable: dict[str, list[Unreadable]] = {}
        self._in_microseconds = False
        self._time_ms = 0
        self._newest = 0
        self._until = 0.0

    def spoil(self, symbol: str, from_id: int, to_id: int, form: str) -> None:
        """Let ids be unreadable from now on, on the stream and over REST."""
        if form not in FORMS:
            raise SimulatorError(f"no form {form!r}; there are {', '.join(FORMS)}")
        if not 0 <= from_id <= to_id:
            raise SimulatorError("unreadable ids need 0 <= from_id <= to_id")
        ranges = self._unreadable.setdefault(symbol, [])
        if len(ranges) >= MAX_RANGES:
            raise SimulatorError(f"at most {MAX_RANGES} ranges of unreadable ids of a symbol")
        ranges.append(Unreadable(from_id, to_id, form))

    def heal(self, symbol: str) -> None:
        """Let all ids of a symbol be readable."""
        self._unreadable.pop(symbol, None)

    def write_microseconds(self, on: bool) -> None:  # a switch
        """Give the times of trades in microseconds, or in milliseconds again."""
        self._in_microseconds = on

    def lie(self, *, time_ms: int, newest: int, seconds: float) -> None:
        """For so long give a server time and newest ids that are too high (or low) by so much."""
        self._time_ms, self._newest = time_ms, newest
        self._until = time.monotonic() + seconds

    def clear(self) -> None:
        """Say the truth again."""
        self._unreadable.clear()
        self._in_microseconds = False
        self._until = 0.0

    @property
    def time_ms(self) -> int:
        """How far the server time is off now."""
        return self._time_ms if time.monotonic() < self._until else 0

    @property
    def newest(self) -> int:
        """How far the ids of the newest trades are off now."""
        return self._newest if time.monotonic() < self._until else 0

    def touches(self, symbol: str) -> bool:
        """Whether the texts of this symbol's trades have to be looked at."""
        return self._in_microseconds or symbol in self._unreadable

    def texts(self, symbol: str, ids: list[int], texts: list[str]) -> list[str]:
        """The texts of trades with these ids as they are given."""
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
