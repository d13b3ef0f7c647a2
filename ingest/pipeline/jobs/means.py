"""The means of work on a store: the store, the exchange, and what the operator has set."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest.binance.archive import BinanceArchive
from ingest.binance.rest import BinanceRest
from ingest.core.errors import SettingError
from ingest.core.keep import Keep
from ingest.core.symbol import Symbols
from ingest.pipeline.beside import Beside
from ingest.storage import AsyncStore


@dataclass(frozen=True)
class Means:
    """Everything that work needs."""

    store: AsyncStore
    rest: BinanceRest
    archive_url: str
    directory: Path
    """Where the archive's files are until they are stored."""
    backups: Path
    """Where backups are made."""
    symbols: Symbols
    """Those to work on if nothing else is said."""
    keep_trades: Keep
    confirm_seconds: float
    beside: Beside | None = None
    """The live feeds of the server that does the work."""

    def archive(self) -> BinanceArchive:
        """A client of the exchange's archive; close it."""
        return BinanceArchive(self.archive_url, self.directory)

    @asynccontextmanager
    async def steady(self) -> AsyncIterator[None]:
        """Nobody else writes to the store meanwhile."""
        if self.beside is None:
            yield
            return
        async with self.beside.steady():
            yield


async def listed_symbols(rest: BinanceRest, chosen: Symbols) -> tuple[str, ...]:
    """The chosen symbols that the exchange has; fetches the weight limit too.

    Raises SettingError for names that it does not have, and where there are none.
    """
    matching: list[str] = []
    if chosen.patterns:
        matching = sorted((await rest.whole_exchange_info(chosen.__contains__)).symbols)
    symbols = tuple(dict.fromkeys((*chosen.names, *matching)))
    info = await rest.exchange_info(list(chosen.names))
    unknown = [symbol for symbol in chosen.names if symbol not in info.symbols]
    if unknown or not symbols:
        names = ", ".join(unknown) or str(chosen)
        raise SettingError(f"The exchange has no symbol {names}: correct the symbols")
    return symbols
