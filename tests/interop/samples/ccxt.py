import ccxt

exchange = ccxt.binance(
    {
        "urls": {"api": {"public": "http://localhost:8080/api/v3"}},
        "timeframes": {"173m": "173m"},
        "options": {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False},
    }
)
