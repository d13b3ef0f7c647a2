"""How long a reply may be kept: what is closed has an entity tag, and a time by its age.

A closed span changes seldom, by a late trade, a repair or retention, and the older it is the less:
so it may be kept for a part of the time that has passed since its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from generated.native.facts import CACHE_CONTROL_LONGEST_SECONDS, CACHE_CONTROL_PART_OF_AGE
from ingest.binance.now import host_ms

STILL_CHANGES: Final[Mapping[str, str]] = {"Cache-Control": "no-cache"}


def of(ended_ms: int | None, rows: bytes, next_cursor: int | None) -> Mapping[str, str]:
    """The headers of a page; `ended_ms` is the end of its span where that is closed.

    The tag is a weak one: in JSON the time of the reply differs where its rows are the same.
    """
    if ended_ms is None:
        return STILL_CHANGES
    digest = sha256(rows, usedforsecurity=False)
    digest.update(b"%d" % (-1 if next_cursor is None else next_cursor))
    return {"ETag": f'W/"{digest.hexdigest()[:32]}"', "Cache-Control": lasting(ended_ms)}


def lasting(ended_ms: int) -> str:
    """The `Cache-Control` of what has ended; private, for access depends on the address."""
    age_s = max(0, host_ms() - ended_ms) // 1000
    max_age = min(age_s // CACHE_CONTROL_PART_OF_AGE, CACHE_CONTROL_LONGEST_SECONDS)
    return f"private, max-age={max_age}"
