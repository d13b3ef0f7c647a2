"""A mock server: examples as answers."""
