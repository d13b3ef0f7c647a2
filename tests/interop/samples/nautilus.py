from nautilus_trader.adapters.binance import (
    BINANCE,
    BinanceDataClientConfig,
    BinanceLiveDataClientFactory,
)
from nautilus_trader.config import InstrumentProviderConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode

config = TradingNodeConfig(
    data_clients={
        BINANCE: BinanceDataClientConfig(
            api_key="none",
            api_secret="none",
            base_url_http="http://localhost:8080",
            base_url_ws="ws://localhost:8080",
            use_agg_trade_ticks=True,
            instrument_provider=InstrumentProviderConfig(load_all=True),
        )
    }
)
node = TradingNode(config=config)
node.add_data_client_factory(BINANCE, BinanceLiveDataClientFactory)
node.build()
