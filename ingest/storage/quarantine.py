"""Messages that were no valid trades, kept aside for inspection."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from .columns import integers, texts
from .connection import Connection

MAX_MESSAGE_BYTES = 4096
"""Of a longer message only the beginning is kept."""

MAX_MESSAGES = 100_000
"""When so many are kept, no more are until the oldest have expired."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One message of the exchange that was no valid trade."""

    received_ms: int
    symbol: str
    """Empty when the message does not name it."""
    raw: bytes
    error: str


class Quarantine:
    """The table `malformed`; the engine itself drops what is older than 30 days."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, messages: Sequence[Quarantined]) -> int:
        """Put messages aside while there is room; returns how many were."""
        messages = messages[: max(0, MAX_MESSAGES - self._count())]
        if messages:
            with self._connection.on_disk():
                self._write(messages)
        return len(messages)

    def _count(self) -> int:
        """How many are kept."""
        [[kept]] = self._connection.rows("SELECT count() FROM malformed")
        return int(kept)

    def _write(self, messages: Sequence[Quarantined]) -> None:
        """Insert messages."""
        self._connection.insert(
            "malformed",
            pa.table(
                {
                    "received_at": integers(
                        np.array([m.received_ms for m in messages], np.int64), pa.timestamp("ms")
                    ),
                    "symbol": texts((m.symbol.encode() for m in messages), pa.string()),
                    "raw": texts((m.raw[:MAX_MESSAGE_BYTES] for m in messages), pa.binary()),
                    "error": texts(
                        (m.error[:MAX_MESSAGE_BYTES].encode() for m in messages), pa.string()
                    ),
                }
            ),
        )

    def latest(self, limit: int) -> list[Quarantined]:
        """The newest messages, newest first."""
        rows = self._connection.rows(
            "SELECT toUnixTimestamp64Milli(received_at), symbol, base64Encode(raw), error"
            " FROM malformed ORDER BY received_at DESC LIMIT {limit:UInt32}",
            {"limit": limit},
        )
        return [
            Quarantined(time, symbol, b64decode(raw), error) for time, symbol, raw, error in rows
        ]
