"""The Universal Data Feed, joined: its REST operations below `/udf`, and a widget at the root."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from aiohttp.typedefs import Handler

from asyncapi_server import Endpoint
from handlers.udf.errors import error_form
from handlers.udf.rest import Bars, Feed
from ingest.pipeline.provider import Provider


class Udf:
    """The REST side; charts ask again, so `run` has nothing to publish."""

    document = "udf.openapi.json"
    """The REST document, of those in `generated/`."""
    name = "udf"
    error_form = staticmethod(error_form)
    passes_unknown_parameters = True
    """Charts add some for currencies and units, and OpenBB what its user has set."""
    used_header = ""
    websockets: Mapping[str, Handler] = {}
    hub: None = None
    endpoints: Sequence[Endpoint] = ()
    """It has no stream."""

    def __init__(self, provider: Provider) -> None:
        self.operations: tuple[object, ...] = (Feed(provider), Bars(provider))
        """Objects with a method for each operation of the REST document."""

    async def run(self) -> None:
        """Wait until cancelled."""
        await asyncio.Event().wait()

    async def close(self, code: int, reason: str, over_seconds: float = 0.0) -> None:
        """Close every connection: there is none."""
