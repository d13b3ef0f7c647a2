"""Candlecast's own API: REST and the stream."""
