"""The whole product as a user runs it: `candlecast serve` over the simulated exchange."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import orjson

from .child import Child
from .errors import BenchError
from .http_load import HttpClients
from .machine import cores

READY_SECONDS = 120.0
LIMITLESS = "10000000"


class Product:
    """A server on the server's core, its simulated exchange on the other."""

    def __init__(
        self,
        directory: Path,
        *,
        history: str,
        rate: float,
        symbols: Sequence[str] = ("BTCUSDT",),
        ready_seconds: float = READY_SECONDS,
        exchange: Sequence[str] = (),
        **settings: str,
    ) -> None:
        """Serve symbols with `rate` trades a second each, after loading `history` (such as "1h").

        `exchange` has further options of the simulator, `settings` those of the server, which is
        given up when it is not healthy after `ready_seconds`.
        """
        self._stack = ExitStack()
        try:
            simulator = Child.module(
                "simulator", "--port", 0, "--symbols", ",".join(symbols), "--rate", rate,
                "--weight-limit", 10**9, *exchange, core=cores().load,
            )  # fmt: skip
            self._stack.enter_context(simulator)
            environment = {
                "rest_url": simulator.read_line().split()[-1],
                "symbols": ",".join(symbols),
                "history": history,
                "store": f"chdb:///{directory}",
                "port": "0",
                "requests_per_minute": LIMITLESS,
                "request_burst": LIMITLESS,
                "log_level": "error",
                **settings,
            }
            variables = {f"CANDLECAST_{key.upper()}": text for key, text in environment.items()}
            self.exchange_url = environment["rest_url"]
            began = time.monotonic()
            self.process = self._stack.enter_context(
                Child.module("server.cli", "serve", core=cores().server, **variables)
            )
            self.port = int(self.process.read_line(READY_SECONDS).rsplit(":", 1)[1])
            self.listening_seconds = time.monotonic() - began
            self._wait_until_complete(ready_seconds)
            self.complete_seconds = time.monotonic() - began
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Product:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _wait_until_complete(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        with HttpClients(self.port, 1) as client:
            while True:
                asked = time.monotonic()
                if orjson.loads(client.get("/api/v1/monitoring/health"))["status"] == "healthy":
                    return
                if time.monotonic() > until:
                    raise BenchError("the product did not load its history in time")
                # With many symbols an answer takes long: to ask at once again would be a load.
                time.sleep(min(max(0.05, 20 * (time.monotonic() - asked)), 1.0))
