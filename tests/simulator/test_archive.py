"""The archive has whole past days and months, in the exchange's form, with checksums."""

import csv
import hashlib
import io
import zipfile

import pytest

from simulator import replay
from simulator.app import Settings
from tests.simulator.conftest import BTCUSDT_KLINES, XRPETH, Client, Start, needs_recordings

DAY = "daily/aggTrades/BTCUSDT/BTCUSDT-aggTrades-2024-12-31.zip"


@pytest.fixture
async def client(start: Start) -> Client:
    """An exchange of slow markets that stands on 2025-02-10."""
    return await start(
        Settings(symbols=("BTCUSDT", "ETHBTC"), rate=0.05, start_at="2025-02-10", wait_for=1)
    )


async def fetch(client: Client, path: str) -> tuple[int, bytes]:
    async with client.session.get(f"{client.url}/data/spot/{path}") as response:
        return response.status, await response.read()


async def rows(client: Client, path: str) -> list[list[str]]:
    """Give the rows of a file whose checksum agrees."""
    status, content = await fetch(client, path)
    assert status == 200
    _, checksum = await fetch(client, path + ".CHECKSUM")
    name = path.rsplit("/", 1)[1]
    assert checksum.decode() == f"{hashlib.sha256(content).hexdigest()}  {name}\n"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == [name.replace(".zip", ".csv")]
        return list(csv.reader(io.StringIO(archive.read(archive.namelist()[0]).decode())))


async def test_days_are_what_rest_has_and_months_are_their_days(client: Client) -> None:
    days = [
        row
        for day in range(1, 32)
        for row in await rows(
            client, f"daily/aggTrades/ETHBTC/ETHBTC-aggTrades-2024-12-{day:02d}.zip"
        )
    ]
    month = await rows(client, "monthly/aggTrades/ETHBTC/ETHBTC-aggTrades-2024-12.zip")
    assert month == days
    ids = [int(row[0]) for row in month]
    assert ids == list(range(ids[0], ids[-1] + 1))
    _, page = await client.get("aggTrades", symbol="ETHBTC", fromId=ids[0], limit=1000)
    assert [[str(row[key]) for key in "apqflTmM"] for row in page] == month[:1000]


async def test_times_are_microseconds_from_2025_on(client: Client) -> None:
    (old, new) = [
        await rows(client, f"daily/aggTrades/BTCUSDT/BTCUSDT-aggTrades-{day}.zip")
        for day in ("2024-12-31", "2025-01-01")
    ]
    assert {len(row[5]) for row in old} == {13}
    assert {len(row[5]) for row in new} == {16}
    assert int(new[0][0]) == int(old[-1][0]) + 1
    klines = await rows(client, "daily/klines/BTCUSDT/1m/BTCUSDT-1m-2025-01-01.zip")
    assert (klines[0][0], klines[0][6]) == ("1735689600000000", "1735689659999999")
    assert len(klines) == 1440


async def test_klines_are_those_of_rest(client: Client) -> None:
    archived = await rows(client, "daily/klines/BTCUSDT/1m/BTCUSDT-1m-2024-12-31.zip")
    _, found = await client.get(
        "klines", symbol="BTCUSDT", interval="1m", startTime=archived[0][0], limit=1000
    )
    assert [[str(value) for value in row] for row in found] == archived[:1000]


@pytest.mark.parametrize(
    "path",
    [
        "daily/aggTrades/BTCUSDT/BTCUSDT-aggTrades-2025-02-10.zip",
        "monthly/aggTrades/BTCUSDT/BTCUSDT-aggTrades-2025-02.zip",
        "monthly/aggTrades/BTCUSDT/BTCUSDT-aggTrades-2025-01-01.zip",
        "daily/aggTrades/BTCUSDT/BTCUSDT-aggTrades-2016-12-31.zip",
        "daily/aggTrades/BTCUSDT/BTCUSDT-aggTrades-2024-02-30.zip",
        "daily/aggTrades/BTCUSDT/ETHBTC-aggTrades-2024-12-31.zip",
        "daily/aggTrades/NOPEUSDT/NOPEUSDT-aggTrades-2024-12-31.zip",
        "daily/klines/BTCUSDT/7m/BTCUSDT-7m-2024-12-31.zip",
        "daily/trades/BTCUSDT/BTCUSDT-trades-2024-12-31.zip",
        "../../etc/passwd",
    ],
)
async def test_what_is_not_there_is_404(client: Client, path: str) -> None:
    assert (await fetch(client, path))[0] == 404
    assert (await fetch(client, path + ".CHECKSUM"))[0] == 404


async def test_two_runs_have_the_same_bytes(client: Client, start: Start) -> None:
    other = await start(Settings(symbols=("BTCUSDT",), rate=0.05, start_at="2025-03-01"))
    assert await fetch(client, DAY) == await fetch(other, DAY)


async def test_files_can_be_wrong_on_request(client: Client) -> None:
    usual = await rows(client, DAY)
    await client.control("archive", header=True, short=True)
    short = await rows(client, DAY)
    assert short[0][0] == "agg_trade_id"
    assert short[1:] == usual[: len(usual) - len(usual) // 10]
    await client.control("reset")
    _, whole = await fetch(client, DAY)
    await client.control("archive", cut=True)
    assert (await fetch(client, DAY))[1] == whole[: len(whole) // 2]
    await client.control("archive", cut=False, wrong_checksum=True)
    _, checksum = await fetch(client, DAY + ".CHECKSUM")
    assert not checksum.decode().startswith(hashlib.sha256(whole).hexdigest())


async def test_missing_ids_are_missing_there_too(client: Client) -> None:
    usual = await rows(client, DAY)
    await client.control("missing", symbol="BTCUSDT", from_id=int(usual[5][0]))
    assert await rows(client, DAY) == usual[:5] + usual[6:]


@needs_recordings
async def test_a_recordings_day_reads_back_as_it_was(start: Start) -> None:
    client = await start(Settings(replay=(("XRPETH", XRPETH),), start_at="2019-10-20"))
    _, content = await fetch(client, "daily/aggTrades/XRPETH/XRPETH-aggTrades-2019-10-12.zip")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        found = replay.parse(archive.read(archive.namelist()[0]))
    source = replay.load(XRPETH)
    same = source.slice(int(found.ids[0]), len(found))
    assert found.price.tolist() == same.price.tolist()
    assert found.time_us.tolist() == same.time_us.tolist()
    assert len(found) > 4000


@needs_recordings
def test_the_exchanges_own_archive_has_this_form() -> None:
    with zipfile.ZipFile(BTCUSDT_KLINES) as archive:
        assert archive.namelist() == ["BTCUSDT-1m-2020-01-02.csv"]
