from cryptofeed.connection import RestEndpoint, Routes, WebsocketEndpoint
from cryptofeed.exchanges import Binance

Binance.websocket_endpoints = [WebsocketEndpoint("wss://localhost:8443")]
Binance.rest_endpoints = [
    RestEndpoint("http://localhost:8080", routes=Routes("/api/v3/exchangeInfo"))
]
Binance.api = "http://localhost:8080/api/v3/"
