"""One real client in every run of the tests: `make interop` runs them all."""

from __future__ import annotations

import sys

from tests.interop.catalogue import CLIENTS
from tests.interop.runner import Result, world


async def test_python_binance_reads_the_same_values() -> None:
    clients = [client for client in CLIENTS if client.program == "python_binance"]
    async with world(days=2) as made:
        results: list[Result] = [
            result async for result in made.run(clients, python=lambda _: sys.executable)
        ]
    assert sorted(result.against for result in results) == ["server", "simulator"]
    for result in results:
        assert not result.failure, result.failure
        assert result.values > 10_000
