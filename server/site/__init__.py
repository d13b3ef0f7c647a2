"""The documentation: plain pages, rendered from `docs/` and `specs/` when the server starts."""

from .render import render

__all__ = ["render"]
