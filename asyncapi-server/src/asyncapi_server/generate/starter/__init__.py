"""A first server in one file."""
