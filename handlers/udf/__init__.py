"""TradingView's Universal Data Feed, for the symbols that are followed."""
