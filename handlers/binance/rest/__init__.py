"""Binance's API over REST."""
