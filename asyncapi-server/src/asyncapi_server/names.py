"""Python names for the names in a document."""

from __future__ import annotations

import keyword
import re
import unicodedata


def snake_case(name: str) -> str:
    """Convert a name to snake case: "systemStatus" -> "system_status"."""
    plain = unicodedata.normalize("NFKC", name)  # as Python reads names
    words = re.sub(r"([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])", r"\1\3_\2", plain)
    letters = "".join(each if f"a{each}".isidentifier() else " " for each in words)
    return unicodedata.normalize("NFKC", "_".join(letters.split()).strip("_").lower())


def argument_name(name: str) -> str:
    """The name of an argument: "startTime" -> "start_time", and "from", a keyword, -> "from_"."""
    found = snake_case(name)
    return f"{found}_" if keyword.iskeyword(found) else found


def handler_name(message: str) -> str:
    """The handler method of a message: "systemStatus" -> "on_system_status"."""
    return f"on_{snake_case(message)}"
