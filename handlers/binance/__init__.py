"""Binance's own API, for the symbols that are followed."""
