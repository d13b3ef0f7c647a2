"""The simulator's command line, for `python -m simulator` and `candlecast simulate`."""

import argparse
import asyncio
import contextlib
import signal
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from simulator import assets, replay
from simulator.app import Settings, build, iso_us, serving
from simulator.clock import Clock
from simulator.errors import SimulatorError
from simulator.faults import Faults
from simulator.limits import Limits
from simulator.seeded import QUIET

DEFAULT_PORT = 9300
DEFAULT_SYMBOLS = "BTCUSDT,ETHUSDT,BNBUSDT,SOLUSDT,XRPUSDT"
MAX_SYMBOLS = 5000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the simulator's options to a parser."""
    net = parser.add_argument_group("address")
    net.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    net.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="port, 0 picks one (%(default)s)"
    )
    net.add_argument(
        "--end-with-stdin",
        action="store_true",
        help="end when the standard input does, as when the program that started this one ends",
    )
    net.add_argument("--ready-file", type=Path, help="write the base address here once serving")
    trades = parser.add_argument_group("trades")
    trades.add_argument(
        "--replay", action="append", default=[], metavar="[SYMBOL=]PATH",
        help="recorded trades in the archive's CSV layout, plain, .gz or .zip; repeatable",
    )  # fmt: skip
    trades.add_argument(
        "--symbols", help=f"seeded symbols, comma-separated ({DEFAULT_SYMBOLS} unless replaying)"
    )
    trades.add_argument("--symbols-count", type=int, help="that many seeded symbols")
    trades.add_argument("--seed", type=int, default=0, help="seed of trades (%(default)s)")
    trades.add_argument(
        "--rate", type=float, default=5.0, help="mean trades/s of each seeded symbol (%(default)s)"
    )
    trades.add_argument(
        "--total-rate",
        type=float,
        help="mean trades/s of all seeded symbols together, unevenly: a few busy, most quiet; the "
        "earlier a symbol is named the busier",
    )
    trades.add_argument(
        "--tombstones", type=float, default=0.0, help="share of tombstones among seeded trades"
    )
    trades.add_argument(
        "--quiet",
        type=float,
        default=QUIET,
        help="share of minutes without a seeded trade (%(default)s)",
    )
    trades.add_argument(
        "--genesis", default="2017-01-01T00:00Z", help="first hour of seeded trades (%(default)s)"
    )
    pace = parser.add_argument_group("clock")
    pace.add_argument(
        "--speed", default="1", help="times real time, or max: as fast as clients read (1)"
    )
    pace.add_argument(
        "--start-at", "--clock-start", metavar="WHEN",
        help="ISO time; for a replay also a share (0.5) or number of trades that are past",
    )  # fmt: skip
    pace.add_argument(
        "--end-at", metavar="WHEN",
        help="when seeded trades end: ISO time, or +SECONDS after the start",
    )  # fmt: skip
    pace.add_argument(
        "--wait-for-subscriber", type=int, nargs="?", const=1, default=0, metavar="N",
        help="hold the clock until N streams (1) are subscribed; at speed max also whenever "
        "fewer are",
    )  # fmt: skip
    faulty = parser.add_argument_group("misbehaviour and limits")
    faulty.add_argument(
        "--faults", default="", metavar="NAME=VALUE,...",
        help="drop, repeat, reorder, corrupt, unknown, delay (shares), delay_ms, cut_every, seed",
    )  # fmt: skip
    defaults = Limits()
    faulty.add_argument("--weight-limit", type=int, default=defaults.weight)
    faulty.add_argument("--weight-window", type=float, default=defaults.window_s, metavar="SECONDS")
    faulty.add_argument("--ban-after", type=int, default=defaults.ban_after, metavar="REQUESTS")
    faulty.add_argument("--ban-seconds", type=float, default=defaults.ban_s)
    faulty.add_argument("--connect-limit", type=int, default=defaults.connects)
    faulty.add_argument("--ping-seconds", type=float, default=20.0)
    faulty.add_argument("--lifetime-seconds", type=float, default=86_400.0)


def settings(args: argparse.Namespace) -> Settings:
    """Convert parsed options to settings."""
    recordings = tuple(_recording(text) for text in args.replay)
    names: list[str] = []
    if args.symbols is not None:
        names += [name.strip().upper() for name in args.symbols.split(",") if name.strip()]
    if args.symbols_count is not None:
        if not 0 < args.symbols_count <= MAX_SYMBOLS:
            raise SimulatorError(f"--symbols-count must be from 1 to {MAX_SYMBOLS}")
        names += assets.names(args.symbols_count)
    if not names and not recordings:
        names = DEFAULT_SYMBOLS.split(",")
    try:
        speed = None if args.speed == "max" else float(args.speed)
    except ValueError:
        raise SimulatorError("--speed must be a number or max") from None
    return Settings(
        replay=recordings,
        symbols=tuple(names),
        seed=args.seed,
        rate=args.rate,
        total_rate=args.total_rate,
        tombstones=args.tombstones,
        quiet=args.quiet,
        genesis_us=iso_us(args.genesis),
        start_at=args.start_at,
        end_at=args.end_at,
        speed=speed,
        wait_for=args.wait_for_subscriber,
        faults=Faults.parse(args.faults),
        limits=Limits(
            weight=args.weight_limit,
            window_s=args.weight_window,
            ban_after=args.ban_after,
            ban_s=args.ban_seconds,
            connects=args.connect_limit,
        ),
        ping_s=args.ping_seconds,
        lifetime_s=args.lifetime_seconds,
    )


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code: 0, or 2 for wrong options."""
    try:
        chosen = settings(args)
        with asyncio.Runner(loop_factory=_event_loop) as runner:
            return runner.run(_serve(chosen, args))
    except (SimulatorError, OSError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 2


def main(argv: list[str] | None = None) -> int:
    """Run `python -m simulator`."""
    parser = argparse.ArgumentParser(
        prog="simulator", description="A Binance-compatible spot exchange for development and tests"
    )
    add_arguments(parser)
    return run(parser.parse_args(argv))


def _event_loop() -> asyncio.AbstractEventLoop:
    """Create a uvloop event loop, or asyncio's where uvloop is not available."""
    if find_spec("uvloop") is None:
        return asyncio.new_event_loop()
    return import_module("uvloop").new_event_loop()  # type: ignore[no-any-return]


async def _serve(chosen: Settings, args: argparse.Namespace) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    exchange = build(chosen)
    async with serving(exchange, host=args.host, port=args.port) as address:
        if args.ready_file is not None:
            await asyncio.to_thread(_put, args.ready_file, address + "\n")
        _say(f"listening on {address}")
        _say(_description(chosen, exchange.clock))
        watching = None
        if args.end_with_stdin:
            watching = loop.create_task(_end_with_stdin(stop))
        await stop.wait()
        if watching is not None:
            watching.cancel()
    if args.ready_file is not None:
        with contextlib.suppress(FileNotFoundError):
            await asyncio.to_thread(args.ready_file.unlink)
    return 0


async def _end_with_stdin(stop: asyncio.Event) -> None:
    """Stop when the standard input ends."""
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while await reader.read(1024):
        pass
    stop.set()


def _put(path: Path, text: str) -> None:
    """Write a file atomically."""
    draft = path.with_name(path.name + ".new")
    draft.write_text(text)
    draft.replace(path)


def _recording(text: str) -> tuple[str, Path]:
    symbol, separator, path = text.partition("=")
    if separator:
        return symbol.upper(), Path(path)
    return replay.symbol_of(Path(text)), Path(text)


def _description(chosen: Settings, clock: Clock) -> str:
    parts = [f"recorded trades of {symbol} from {path.name}" for symbol, path in chosen.replay]
    if chosen.symbols:
        named = ", ".join(chosen.symbols[:5])
        more = f" and {len(chosen.symbols) - 5} more" if len(chosen.symbols) > 5 else ""
        rate = f"{chosen.rate:g}/s each"
        if chosen.total_rate is not None:
            rate = f"{chosen.total_rate:g}/s together"
        parts.append(f"seeded trades of {named}{more} (seed {chosen.seed}, about {rate})")
    pace = "as fast as clients read" if clock.speed is None else f"at {clock.speed:g} x real time"
    return f"simulated exchange, no real market: {'; '.join(parts)}; {pace}"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
