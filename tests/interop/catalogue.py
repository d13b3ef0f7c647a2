"""The clients that are run: what they are, and against what."""

from __future__ import annotations

from typing import Final, NamedTuple

SIMULATOR: Final = "simulator"
SERVER: Final = "server"
BOTH: Final = (SIMULATOR, SERVER)

MAIN: Final = "main"
APART: Final = "apart"
"""An environment for what cannot be in one with the others: binance-connector has a package of the
name of python-binance's, and aio-kraken-ws needs an old version of websockets."""


class Client(NamedTuple):
    """A client: its program in `clients/`, the environment it is run in, and against what."""

    program: str
    name: str
    against: tuple[str, ...] = BOTH
    environment: str = MAIN


KRAKEN_ONLY: Final = (SERVER,)

CLIENTS: Final = (
    Client("ccxt", "ccxt"),
    Client("ccxt_pro", "ccxt.pro"),
    Client("freqtrade", "freqtrade"),
    Client("python_binance", "python-binance"),
    Client("binance_sdk_spot", "binance-sdk-spot"),
    Client("binance_connector", "binance-connector", environment=APART),
    Client("unicorn", "unicorn-binance-websocket-api"),
    Client("cryptofeed_binance", "cryptofeed (Binance)"),
    Client("tardis", "tardis-dev"),
    Client("nautilus", "nautilus_trader"),
    Client("cryptofeed_kraken", "cryptofeed (Kraken)", KRAKEN_ONLY),
    Client("python_kraken_sdk", "python-kraken-sdk", KRAKEN_ONLY),
    Client("krakenex", "krakenex", KRAKEN_ONLY),
    Client("aio_kraken_ws", "aio-kraken-ws", KRAKEN_ONLY, APART),
)
