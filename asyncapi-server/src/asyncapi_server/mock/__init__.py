"""A mock server that answers from examples."""
