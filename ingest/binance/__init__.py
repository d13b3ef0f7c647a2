"""Binance: its messages, its REST interface, its streams, its request weight and its archive."""
