"""The version of the program."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def program_version() -> str:
    """The installed version, such as "1.2.3"; "0+source" if not installed."""
    try:
        return version("candlecast")
    except PackageNotFoundError:
        return "0+source"
