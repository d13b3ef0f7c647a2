"""krakenex: candles, trades and pairs of Kraken's REST API."""

from __future__ import annotations

from typing import Any

from tests.interop.clients.python_kraken_sdk import compare
from tests.interop.support import place
from tests.interop.support.report import Report


def main() -> None:
    """Compare pages, asked for by the names of the API's methods."""
    report, api = Report("krakenex"), place.sample("krakenex.py").api

    def ask(method: str, **query: Any) -> Any:
        answer = api.query_public(method, query)
        assert answer["error"] == [], answer
        return answer["result"]

    compare(report, ask)
    report.print()


if __name__ == "__main__":
    main()
