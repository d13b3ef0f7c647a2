from unicorn_binance_websocket_api import BinanceWebSocketApiManager

manager = BinanceWebSocketApiManager(
    exchange="binance.com",
    websocket_base_uri="ws://localhost:8080/",
    warn_on_update=False,
)
