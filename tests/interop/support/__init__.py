"""Shared by the programs of the clients, in their environments: standard library only."""
