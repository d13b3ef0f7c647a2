"""Kraken's WebSocket API (version 1) on the provider's own trades, candles and quotes."""
