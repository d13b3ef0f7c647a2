"""The commands other than `serve` and `simulate`, with their options."""
