"""The process that proves by jsonschema-rs: a script by itself, which imports nothing of ours.

It reads pairs of schemas of draft 2020-12, each a line with a JSON array of two texts, and answers
with the containment of the second in the first: "yes", "no" or "unknown".
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from functools import lru_cache

import jsonschema_rs

MAX_BYTES = 2**30
"""Memory of the process, where that can be bounded."""


def main() -> None:
    """Answer until there is no more input."""
    _bound_memory()
    for line in sys.stdin:
        wide, narrow = json.loads(line)
        sys.stdout.write(f"{_containment(wide, narrow)}\n")
        sys.stdout.flush()


def _containment(wide: str, narrow: str) -> str:
    try:
        return str(_form(wide).covers(_form(narrow)))
    except ValueError:  # a faulty schema, or one that is not supported
        return "unknown"


@lru_cache(maxsize=8)  # for both directions of a step; some forms are large
def _form(schema: str) -> jsonschema_rs.CanonicalSchema:
    return jsonschema_rs.canonicalize(
        json.loads(schema), draft=jsonschema_rs.Draft202012, offline=True
    )


def _bound_memory() -> None:
    with suppress(ImportError, OSError, ValueError):
        import resource  # not on Windows

        resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))


if __name__ == "__main__":
    main()
