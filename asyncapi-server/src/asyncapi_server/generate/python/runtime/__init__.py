"""The modules of clients that are the same for every document."""
