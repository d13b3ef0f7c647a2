"""Comparison of AsyncAPI documents, 2.0 to 3.1, also of one of 2.x with one of 3.x."""
