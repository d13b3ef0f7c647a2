"""Joins the exchange to the store and keeps each symbol's candles exact on the way."""
