"""Serving a contract: routing, connections, subscriptions and fan-out."""
