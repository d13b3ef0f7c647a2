"""The core: trades in, exact candles out."""
