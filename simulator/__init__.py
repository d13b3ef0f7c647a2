"""A Binance-compatible spot exchange over real HTTP and WebSocket, for development and tests.

It replays recorded trades or makes seeded ones, and misbehaves on request. It shares nothing
with the provider but the wire.
"""
