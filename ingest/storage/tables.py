"""Tables: the formats in which the engine writes rows, and the types of their columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from generated.native.facts import CANDLE_DECIMALS, TRADE_DECIMALS


class TableFormat(StrEnum):
    """The engine's name of each format of a table."""

    ARROW = "ArrowStream"
    PARQUET = "Parquet"
    CSV = "CSVWithNames"
    CSV_LINES = "CSV"
    NDJSON = "JSONEachRow"

    @property
    def is_typed(self) -> bool:
        """Whether it has types of its own for times and decimals; the others are text."""
        return self in (TableFormat.ARROW, TableFormat.PARQUET)


_TIMES: Final = {"candle_time", "timestamp"}
_DECIMALS: Final = {*CANDLE_DECIMALS, *TRADE_DECIMALS}


@dataclass(frozen=True, slots=True)
class Table:
    """How rows are written as a table."""

    format: TableFormat
    has_doubles: bool = False
    """Whether prices and volumes are rounded to doubles, in a format that has types."""

    settings = " SETTINGS output_format_json_array_of_rows = 0"
    """At the end of the statement."""

    def columns(self, expressions: Mapping[str, str]) -> str:
        """The columns of a statement, by the name and the expression of each."""
        return ", ".join(
            f"{self._typed(name, expression)} AS {name}" for name, expression in expressions.items()
        )

    def _typed(self, name: str, expression: str) -> str:
        if self.format.is_typed and name in _TIMES:
            return f"fromUnixTimestamp64Milli({expression}, 'UTC')"
        if self.format.is_typed and self.has_doubles and name in _DECIMALS:
            return f"toFloat64({expression})"
        return expression
