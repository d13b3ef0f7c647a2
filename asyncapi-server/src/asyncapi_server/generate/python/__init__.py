"""Servers and clients in Python."""
