import ccxt.pro

exchange = ccxt.pro.binance(
    {
        "urls": {
            "api": {
                "public": "http://localhost:8080/api/v3",
                "ws": {"spot": "ws://localhost:8080/ws"},
            }
        },
        "timeframes": {"173m": "173m"},
        "options": {
            "fetchMarkets": {"types": ["spot"]},
            "fetchCurrencies": False,
            "watchTrades": {"name": "aggTrade"},
            "watchTradesForSymbols": {"name": "aggTrade"},
        },
    }
)
