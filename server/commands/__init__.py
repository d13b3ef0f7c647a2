"""The commands beside `serve` and `simulate`: each module has one, with its options."""
