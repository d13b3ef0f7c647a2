"""Comparison of JSON Schemas as sets of values, and of the keywords that validation ignores."""
