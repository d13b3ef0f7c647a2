"""A Binance-compatible spot exchange over real HTTP and WebSocket, for development and tests.

It replays recorded trades or generates seeded ones, and injects faults on request. It shares only
the wire protocol with the provider.
"""
