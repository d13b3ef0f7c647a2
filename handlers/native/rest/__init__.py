"""The REST operations of the own API."""
