"""Clients in TypeScript."""
