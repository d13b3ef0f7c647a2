"""Benchmarks of each part beside its alternatives, in one run on one machine."""
