"""Contracts served: routing, connections, subscriptions and fan-out."""
