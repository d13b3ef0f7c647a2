"""Refusals of the edge have the form of the API that the request is for."""

from __future__ import annotations

import pytest

from handlers.kraken.errors import error_form
from ingest.core.errors import NotReady
from server.app import DOCUMENTS
from server.edge.access import AccessPolicy
from server.rest.app import RestApi, load_document
from server.rest.dispatch import Reply
from tests.server.conftest import Start


async def not_ready(**_parameters: object) -> Reply:
    raise NotReady("try again")


async def failing(**_parameters: object) -> Reply:
    raise RuntimeError("a fault of ours")


DOCUMENT = load_document(DOCUMENTS / "kraken.openapi.json")
OPERATIONS = [
    operation["operationId"] for path in DOCUMENT["paths"].values() for operation in path.values()
]
KRAKEN = RestApi(
    DOCUMENT,
    {**dict.fromkeys(OPERATIONS, failing), "get_time": not_ready},
    error_form,
    passes_unknown_parameters=True,
)


@pytest.mark.parametrize("base", KRAKEN.base_paths)
async def test_errors_of_two_apis_keep_their_forms(start: Start, base: str) -> None:
    edge = await start(others=[KRAKEN])

    async def said(path: str, **headers: str) -> object:
        return await (await edge.session.get(base + path, headers=headers)).json()

    assert await said("/public/Time", Host="example.com") == {
        "error": ["EGeneral:Permission denied"]
    }
    assert await said("/public/Time") == {"error": ["EService:Unavailable"]}
    assert await said("/public/SystemStatus") == {"error": ["EGeneral:Internal error"]}
    assert await said("/nothing") == {"error": ["EGeneral:Unknown method"]}
    ours = await edge.session.get("/nothing")
    assert (ours.status, (await ours.json())["error_code"]) == (404, "NOT_FOUND")


async def test_a_rate_limit_is_said_in_each_form(start: Start) -> None:
    edge = await start(AccessPolicy(requests_per_minute=1, burst=1), others=[KRAKEN])
    await edge.session.get("/0/public/Time")
    limited = await edge.session.get("/kraken/0/public/Time")
    assert (limited.status, await limited.json()) == (200, {"error": ["EAPI:Rate limit exceeded"]})
    assert int(limited.headers["Retry-After"]) > 0
    ours = await edge.session.get("/api/v1/tickers/")
    assert (ours.status, (await ours.json())["error_code"]) == (429, "RATE_LIMITED")
