"""Work on the store that takes a while: history, audits, comparisons with the exchange.

A command does it by itself, or lets the server do it that has the store open. Either way it is the
same work, with the same lines.
"""
