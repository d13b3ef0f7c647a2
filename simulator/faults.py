"""Reproducible faults of the stream.

Whether a message is dropped, repeated, moved or corrupted is a function of (seed, symbol, id), so
the same trades have the same faults in every run. REST always has every trade.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from simulator import noise
from simulator.errors import SimulatorError
from simulator.trades import Ints

MAX_MOVE: Final = 16
"""A moved message arrives at most this many trades late."""

QUIET_S: Final = 0.25
"""Held messages are released when no trade came for this long."""

_ALTERING: Final = ("corrupt", "symbol", "unknown")
_RATES: Final = ("drop", "repeat", "reorder", "garbage", *_ALTERING, "delay")


@dataclass(frozen=True, slots=True)
class Faults:
    """The share of messages (0 to 1) with each fault."""

    drop: float = 0.0
    """Never sent."""
    repeat: float = 0.0
    """Sent twice, up to MAX_MOVE trades apart."""
    reorder: float = 0.0
    """Sent after up to MAX_MOVE later trades."""
    corrupt: float = 0.0
    """Replaced by a malformed message."""
    symbol: float = 0.0
    """Sent with the symbol of another market."""
    garbage: float = 0.0
    """Replaced by a frame that is not JSON and belongs to no stream."""
    unknown: float = 0.0
    """Sent with unknown fields, otherwise valid."""
    delay: float = 0.0
    """Sent late, by 0.5 to 1 times `delay_ms`."""
    delay_ms: int = 1000
    cut_every: int = 0
    """About how many messages a connection sends before it is cut; 0 is never."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in _RATES:
            if not 0 <= getattr(self, name) <= 1:
                raise SimulatorError(f"fault {name} must be a share from 0 to 1")
        if not 0 <= self.delay_ms <= 600_000 or self.cut_every < 0:
            raise SimulatorError("delay_ms must be 0 to 600000, cut_every not negative")

    @property
    def spoil_messages(self) -> bool:
        """Whether messages have faults, and have to be processed one by one."""
        return any(getattr(self, name) for name in _RATES)

    @classmethod
    def parse(cls, text: str) -> "Faults":
        """Parse `drop=0.01,repeat=0.05,delay=0.02,delay_ms=800,cut_every=5000,seed=7`."""
        values: dict[str, str] = {}
        for part in filter(None, text.split(",")):
            name, _, value = part.partition("=")
            values[name.strip()] = value.strip()
        return cls().changed(dict(values))

    def changed(self, values: dict[str, object]) -> "Faults":
        """Return these faults with some changed; validates names and values."""
        kinds = {field.name: field.type for field in fields(self)}
        changes: dict[str, float] = {}
        for name, value in values.items():
            if name not in kinds:
                raise SimulatorError(f"no fault {name!r}; there are {', '.join(kinds)}")
            try:
                number = float(str(value))
                changes[name] = number if kinds[name] is float else int(number)
            except (ValueError, OverflowError):
                raise SimulatorError(f"fault {name} needs a number, not {value!r}") from None
        return replace(self, **changes)  # type: ignore[arg-type]  # the kinds were checked above


class Spoiler:
    """Passes on the messages of one symbol, with faults."""

    def __init__(
        self, symbol: str, faults: Faults, counts: Counter[str], others: Sequence[str] = ()
    ) -> None:
        """`others` are the symbols that may replace a message's own."""
        self.garbage = 0
        """Garbage frames to send."""
        self._others = others or ("NOSUCHUSDT",)
        self._faults = faults
        self._counts = counts
        self._symbol = symbol
        self._keys = {
            name: noise.key(faults.seed, symbol, "fault", name)
            for name in (*_RATES, "repeat by", "reorder by", "delay by", "kind")
        }
        self._held: list[tuple[int, int, str]] = []
        self._late: list[tuple[float, int, str]] = []
        self._order = 0
        self._quiet_since = 0.0

    def spoil(self, ids: Ints, messages: list[str], now: float) -> list[str]:
        """Return the messages to send now for the next trades. `now` is real time in seconds."""
        self._quiet_since = now
        chosen = {name: self._happens(name, ids) for name in _RATES if getattr(self._faults, name)}
        never = [False] * len(messages)
        drop, repeat, reorder, garbage, delay = (
            chosen[name].tolist() if name in chosen else never
            for name in ("drop", "repeat", "reorder", "garbage", "delay")
        )
        altered = {name: chosen[name].tolist() for name in _ALTERING if name in chosen}
        repeat_by, reorder_by = self._distance("repeat by", ids), self._distance("reorder by", ids)
        delay_by = noise.below(self._keys["delay by"], ids, 1000).tolist()
        kinds = noise.below(self._keys["kind"], ids, len(CORRUPTIONS)).tolist()
        out: list[str] = []
        for i, (trade_id, message) in enumerate(zip(ids.tolist(), messages, strict=True)):
            while self._held and self._held[0][0] < trade_id:
                out.append(heapq.heappop(self._held)[2])
            if drop[i]:
                self._counts["drop"] += 1
                continue
            if garbage[i]:
                self._counts["garbage"] += 1
                self.garbage += 1
                continue
            for fault, suffers in altered.items():
                if suffers[i]:
                    message = self._altered(fault, kinds[i], message)
                    break
            if repeat[i]:
                self._counts["repeat"] += 1
                self._hold(trade_id + repeat_by[i], message)
            if reorder[i]:
                self._counts["reorder"] += 1
                self._hold(trade_id + reorder_by[i], message)
            elif delay[i]:
                self._counts["delay"] += 1
                self._order += 1
                due = now + (1000 + delay_by[i]) * self._faults.delay_ms / 2e6
                heapq.heappush(self._late, (due, self._order, message))
            else:
                out.append(message)
        return out

    def _altered(self, fault: str, kind: int, message: str) -> str:
        """Return the message with a fault."""
        self._counts[fault] += 1
        if fault == "corrupt":
            return CORRUPTIONS[kind](message)
        if fault == "symbol":
            return put("s", f'"{self._others[kind % len(self._others)]}"')(message)
        return message[:-1] + ',"x1":null,"future":{"a":[1,"2"]}}'

    def overdue(self, now: float) -> list[str]:
        """Return the delayed messages that are due, and held ones when trades are quiet."""
        out: list[str] = []
        while self._late and self._late[0][0] <= now:
            out.append(heapq.heappop(self._late)[2])
        if self._held and now - self._quiet_since >= QUIET_S:
            out += [heapq.heappop(self._held)[2] for _ in range(len(self._held))]
        return out

    def release(self) -> list[str]:
        """Return everything that is held or delayed."""
        held = [message for *_, message in sorted(self._held) + sorted(self._late)]
        self._held, self._late = [], []
        return held

    def _hold(self, until_id: int, message: str) -> None:
        self._order += 1
        heapq.heappush(self._held, (until_id, self._order, message))

    def _happens(self, name: str, ids: Ints) -> npt.NDArray[np.bool_]:
        return noise.happens(self._keys[name], ids, getattr(self._faults, name))

    def _distance(self, name: str, ids: Ints) -> list[int]:
        distances: list[int] = (1 + noise.below(self._keys[name], ids, MAX_MOVE)).tolist()
        return distances


def put(name: str, value: str) -> Callable[[str], str]:
    """Return a corruption that replaces the JSON value of a field of a message or row."""

    def corrupt(message: str) -> str:
        head, _, tail = message.partition(f'"{name}":')
        # A comma follows each field but the last, and no value of a trade contains one.
        return f'{head}"{name}":{value},' + tail.partition(",")[2]

    return corrupt


CORRUPTIONS: Final[tuple[Callable[[str], str], ...]] = (
    put("p", '"NaN"'),
    put("p", "NaN"),
    put("p", '"-1.00000000"'),
    put("q", '"-0.50000000"'),
    put("a", str(2**63)),
    put("a", "-1"),
    put("q", f'"{2**63}"'),
    put("p", '"Infinity"'),
    put("p", "123.45"),
    put("p", '"1e5"'),
    put("a", '"12"'),
    put("a", "1.5"),
    put("T", '"now"'),
    put("T", str(2**63)),
    put("T", "-1"),
    put("m", '"true"'),
    put("f", "null"),
    put("q", '""'),
    put("p", '"0x10"'),
    lambda message: message.replace('"p":', '"pp":', 1),
    lambda message: message[: len(message) // 2],
    lambda message: message[:-1],
    lambda message: "[" + message,
    lambda _: '"aggTrade"',
    lambda _: "[]",
)
"""Each makes a message that no reader may accept as a trade."""
