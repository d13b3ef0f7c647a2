"""Request weight is counted, and clients above the limit have to wait."""

from simulator.app import Settings
from simulator.limits import Gate, Limits
from tests.simulator.conftest import Client, Start


class Real:
    """Real time, moved by hand."""

    seconds = 60_000.0

    def __call__(self) -> float:
        return self.seconds


async def weigh(client: Client, path: str) -> tuple[int, dict[str, str]]:
    async with client.session.get(f"{client.url}/api/v3/{path}") as response:
        return response.status, dict(response.headers)


async def test_each_answer_tells_the_weight_used(start: Start) -> None:
    limits = Limits(window_s=1e10)
    client = await start(Settings(symbols=("BTCUSDT",), limits=limits))
    used = [
        int((await weigh(client, path))[1]["X-MBX-USED-WEIGHT-1M"])
        for path in (
            "ping",
            "time",
            "aggTrades?symbol=BTCUSDT",
            "klines?symbol=BTCUSDT&interval=1m",
            "exchangeInfo",
            "ticker/bookTicker?symbol=BTCUSDT",
            "ticker/bookTicker",
            "aggTrades?symbol=WRONG",
        )
    ]
    assert used == [1, 2, 6, 8, 28, 30, 34, 38]


async def test_too_much_weight_is_429_then_418_for_who_goes_on(start: Start) -> None:
    limits = Limits(weight=10, window_s=1e10, ban_after=3, ban_s=500)
    client = await start(Settings(symbols=("BTCUSDT",), limits=limits))
    answers = [await weigh(client, "aggTrades?symbol=BTCUSDT&limit=1") for _ in range(7)]
    assert [status for status, _ in answers] == [200, 200, 429, 429, 429, 418, 418]
    assert 0 < int(answers[2][1]["Retry-After"]) <= 1e10
    assert int(answers[5][1]["Retry-After"]) == 500
    _, body = await client.get("time")
    assert body["code"] == -1003
    state = client.exchange.control.state()
    assert state["rest_statuses"] == {"200": 2, "418": 3, "429": 3}


def test_a_new_window_begins_at_nothing() -> None:
    real = Real()
    gate = Gate(Limits(weight=10), clock=real)
    gate.charge("a", 10)
    assert (gate.used("a"), gate.used("b")) == (10, 0)
    assert gate.blocked("a") is None
    gate.charge("a", 1)
    assert gate.blocked("a") == (429, 60)
    real.seconds += 59.5
    assert gate.blocked("a") == (429, 1)
    real.seconds += 0.5
    assert gate.blocked("a") is None
    assert gate.used("a") == 0


def test_a_request_under_way_is_not_early_but_a_later_one_is() -> None:
    real = Real()
    gate = Gate(Limits(), clock=real)
    gate.block("a", 429, 2)
    real.seconds += 0.05
    assert not gate.ignored("a")
    real.seconds += 1.9
    assert gate.ignored("a")


async def test_connection_attempts_are_limited(start: Start) -> None:
    client = await start(Settings(symbols=("BTCUSDT",), limits=Limits(connects=2)))
    statuses = []
    for _ in range(3):
        async with client.session.get(f"{client.url}/ws/btcusdt@aggTrade") as response:
            statuses.append(response.status)
    assert statuses == [400, 400, 429]  # no upgrade was asked for, then not even that
