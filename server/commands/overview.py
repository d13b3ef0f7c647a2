"""The screen of `status`: a line for each symbol, between those about the whole server. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from generated.native.facts import DataQuality
from generated.native.models import (
    Health,
    HealthProblem,
    Readiness,
    SystemInfo,
    TickerSummary,
    WebSocketStatus,
    WeightStatistics,
)

from .chart import AXIS, DOWN, QUIET, UP
from .progress import BUSY, amount, bar, duration, pace, percent
from .scale import plain
from .screen import QUALITIES
from .series import printable

BAR_COLUMNS = 10
MAX_PROBLEMS = 5
GAP = "  "
TRADING = "TRADING"
NOT_LISTED = "NOT_LISTED"
UNKNOWN = "UNKNOWN"
HEADING = ("SYMBOL", "PRICE", "TRADES", "STATUS", "GAPS")


@dataclass(frozen=True, slots=True)
class Overview:
    """The state of a server at one moment."""

    url: str
    info: SystemInfo | None
    """None while the store does not answer."""
    readiness: Readiness
    health: Health
    tickers: Sequence[TickerSummary]
    weight: WeightStatistics
    websocket: WebSocketStatus

    def lines(self, height: int | None = None) -> list[Text]:
        """The lines of the screen, at most `height`; symbols that are not complete come first."""
        head, tail = [*self._head(), Text()], [Text(), *self._tail()]
        room = None if height is None else max(height - len(head) - len(tail), 2)
        return [*head, *self._table(room), *tail][:height]

    def _head(self) -> Iterator[Text]:
        info = self.info
        name = f"Candlecast {printable(info.version)}" if info is not None else "Candlecast"
        line = Text.assemble((name, Style(bold=True)))
        line.append(f"{GAP}{self.url}", AXIS)
        if info is not None and info.feed.simulated:
            line.append(f"{GAP}simulated prices", BUSY)
        elif info is not None:
            line.append(f"{GAP}{printable(info.feed.name)}", AXIS)
        yield line.append(f"{GAP}up {duration(self.health.uptime_seconds)}", AXIS)
        is_ready = self.readiness.ready
        state = ("● ready", UP) if is_ready else ("● not ready", DOWN)
        yield Text.assemble(state, (f"{GAP}{_counted(self.tickers)}", AXIS))

    def _table(self, room: int | None) -> Iterator[Text]:
        """A heading and a line for each symbol; with less room, one for those that are left out."""
        problems = {problem.symbol: problem for problem in self.health.problems}
        tickers = sorted(
            self.tickers,
            key=lambda one: (_state(one) == DataQuality.COMPLETE, one.symbol),
        )
        is_cut = room is not None and len(tickers) > room - 1
        shown = tickers[: room - 2] if room is not None and is_cut else tickers
        broken = [_broken(ticker.last_price) for ticker in shown]
        wide = max((len(fraction) for _, fraction in broken), default=0)
        prices = [whole + fraction.ljust(wide) for whole, fraction in broken]
        counts = [f"{ticker.trades_stored:,}" for ticker in shown]
        paces = max((len(pace(one.loading)) for one in shown if one.loading), default=0)
        columns = [[ticker.symbol for ticker in shown], prices, counts, list(map(_state, shown))]
        widths = [
            max(map(cell_len, [name, *cells]))
            for name, cells in zip(HEADING, columns, strict=False)
        ]
        widths[3] += len("● ")
        pieces = [
            _padded(name, width, at in (1, 2))
            for at, (name, width) in enumerate(zip(HEADING, widths, strict=False))
        ]
        yield Text(GAP.join([*pieces, HEADING[-1]]), QUIET)
        for ticker, price, count in zip(shown, prices, counts, strict=True):
            state = _state(ticker)
            yield Text.assemble(
                (_padded(ticker.symbol, widths[0]), Style(bold=True)),
                GAP,
                _padded(price, widths[1], True),
                GAP,
                (_padded(count, widths[2], True), AXIS),
                GAP,
                (_padded(f"● {state}", widths[3]), QUALITIES.get(state, (DOWN, ""))[0]),
                GAP,
                _gaps(ticker, problems.get(ticker.symbol), paces),
            )
        if is_cut:
            yield Text(f"… and {_counted(tickers[len(shown) :], 'more symbol')}", QUIET)

    def _tail(self) -> Iterator[Text]:
        weight, websocket = self.weight, self.websocket
        line = f"{weight.used:,} of {weight.limit_per_minute:,} a minute{GAP}"
        line += f"{weight.requests:,} requests{GAP}{weight.throttled:,} refused for their rate"
        yield _labelled("weight", line, AXIS)
        line = f"{websocket.connections_count:,} connections{GAP}"
        line += f"{websocket.total_subscriptions:,} subscriptions{GAP}"
        line += f"{websocket.messages_sent:,} messages sent"
        yield _labelled("clients", line, AXIS)
        followed = {ticker.symbol for ticker in self.tickers}
        others = [one for one in self.health.problems if one.symbol not in followed]
        for problem in others[:MAX_PROBLEMS]:
            about = f"{problem.component.replace('_', ' ')}: " if problem.symbol is None else ""
            yield _labelled("problem", about + printable(problem.reason), DOWN)
        if len(others) > MAX_PROBLEMS:
            yield _labelled("problem", f"… and {len(others) - MAX_PROBLEMS} more", DOWN)


def _state(ticker: TickerSummary) -> str:
    """The state of a symbol in a word or two."""
    if ticker.exchange_status == NOT_LISTED:
        return "not listed"
    return ticker.data_status.data_quality.value


def _counted(tickers: Sequence[TickerSummary], name: str = "symbol") -> str:
    """The number of symbols, and how many of them are in each state."""
    states = Counter(map(_state, tickers))
    parts = ", ".join(f"{count:,} {state}" for state, count in states.most_common())
    return f"{len(tickers):,} {name}{'' if len(tickers) == 1 else 's'}: {parts or 'none'}"


def _gaps(ticker: TickerSummary, problem: HealthProblem | None, paces: int) -> Text:
    """The missing trades of a symbol, and how far their download has come."""
    if (loading := ticker.loading) is not None and ticker.exchange_status != NOT_LISTED:
        words = f"{percent(loading):>5}{GAP}{pace(loading):<{paces}}{GAP}{amount(loading)}"
        return bar(loading, BAR_COLUMNS).append(words, BUSY)
    if problem is not None:
        return Text(printable(problem.reason), BUSY)
    if ticker.exchange_status not in (TRADING, UNKNOWN):
        return Text(f"no gaps; {printable(ticker.exchange_status)} at the exchange", BUSY)
    return Text("no gaps", QUIET)


def _broken(price: Decimal | None) -> tuple[str, str]:
    """A price before its decimal point, and from there on."""
    whole, point, fraction = plain(price).partition(".") if price is not None else ("–", "", "")
    return whole, point + fraction


def _padded(text: str, width: int, to_the_right: bool = False) -> str:
    space = " " * (width - cell_len(text))
    return space + text if to_the_right else text + space


def _labelled(label: str, text: str, style: Style) -> Text:
    return Text.assemble((label.ljust(8), QUIET), GAP, (text, style))
