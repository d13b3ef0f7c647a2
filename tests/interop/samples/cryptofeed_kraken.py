from cryptofeed.connection import RestEndpoint, Routes, WebsocketEndpoint
from cryptofeed.exchanges import Kraken

Kraken.websocket_endpoints = [WebsocketEndpoint("wss://localhost:8443/kraken", limit=20)]
Kraken.rest_endpoints = [
    RestEndpoint("http://localhost:8080", routes=Routes("/0/public/AssetPairs"))
]
