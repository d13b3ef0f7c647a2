"""Trades, timeframes, candles, continuity and data status: pure, with no I/O and no clock."""
