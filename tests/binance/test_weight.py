"""Request weight: never too much, never during a ban, and in a fair order."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ingest.binance.budget import WeightBudget
from ingest.binance.limits import MAX_RETRY_AFTER_S
from ingest.binance.weight import Priority, WeightCoordinator

WINDOW_S = 60.0


class Account(RuleBasedStateMachine):
    """Any number of requests, answers, bans and foreign use, at any pace."""

    def __init__(self) -> None:
        super().__init__()
        self.budget = WeightBudget(limit=100, share=0.5, window=WINDOW_S, max_in_flight=3)
        self.now = 0.0
        self.banned_until = 0.0
        self.in_flight: list[tuple[float, int]] = []
        self.spent: list[tuple[float, float, int]] = []

    @rule(seconds=st.floats(0, 90))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(weight=st.sampled_from([1, 2, 4, 20]))
    def a_request_is_sent_if_it_may(self, weight: int) -> None:
        if self.budget.reserve(weight, self.now):
            assert self.now >= self.banned_until
            self.in_flight.append((self.now, weight))
            assert len(self.in_flight) <= 3

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data(), reported=st.none() | st.integers(0, 200))
    def an_answer_comes(self, data: st.DataObject, reported: int | None) -> None:
        index = data.draw(st.integers(0, len(self.in_flight) - 1))
        sent, weight = self.in_flight.pop(index)
        self.budget.settle(weight, self.now, reported)
        self.spent.append((sent, self.now, weight))
        if reported is not None and reported > self.budget.budget:
            assert not self.budget.reserve(1, self.now)

    @rule(status=st.sampled_from([418, 429]), seconds=st.none() | st.floats(0, MAX_RETRY_AFTER_S))
    def the_exchange_refuses(self, status: int, seconds: float | None) -> None:
        until = self.budget.refused(self.now, status, seconds)
        self.banned_until = max(self.banned_until, self.now + (60 if seconds is None else seconds))
        assert until >= self.banned_until

    @invariant()
    def no_window_holds_more_than_the_budget(self) -> None:
        """Wherever between its sending and its answer the exchange counted each request."""
        in_flight = sum(weight for _, weight in self.in_flight)
        recent = sum(w for _, answered, w in self.spent if answered > self.now - WINDOW_S)
        assert recent + in_flight <= self.budget.budget

    @invariant()
    def a_refused_request_learns_when_it_can_be_sent(self) -> None:
        at = self.budget.retry_at(4, self.now)
        if at is not None:
            assert at >= max(self.now, self.banned_until)
        else:
            assert self.in_flight


TestAccount = Account.TestCase
TestAccount.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)


@given(st.integers(0, 96), st.integers(0, 10**12))
def test_weight_that_others_use_counts_until_a_window_has_passed(own: int, reported: int) -> None:
    budget = WeightBudget(limit=100, share=1.0)
    assert budget.reserve(4, 0.0)
    budget.settle(4, 1.0, reported)
    assert budget.used(1.0) >= min(reported, 100)
    assert budget.used(61.0) == 0


async def hold(
    weight: WeightCoordinator, symbol: str, priority: Priority, order: list[str]
) -> None:
    async with weight.request(4, symbol, priority):
        order.append(f"{priority.name} {symbol}")
        await asyncio.sleep(0)


async def test_symbols_take_turns_and_gaps_go_before_history() -> None:
    weight = WeightCoordinator(WeightBudget(limit=1000, max_in_flight=1))
    order: list[str] = []
    async with asyncio.TaskGroup() as tasks, weight.request(1, "", Priority.CLOCK):
        for symbol in "AAAABBC":
            tasks.create_task(hold(weight, symbol, Priority.HISTORY, order))
        for symbol in "DDE":
            tasks.create_task(hold(weight, symbol, Priority.GAP, order))
        await asyncio.sleep(0)
        assert weight.statistics().waiting == 10
    assert order == [
        *("GAP D", "GAP E", "GAP D"),
        *("HISTORY A", "HISTORY B", "HISTORY C", "HISTORY A", "HISTORY B"),
        *("HISTORY A", "HISTORY A"),
    ]


async def test_a_request_waits_until_the_window_has_room() -> None:
    weight = WeightCoordinator(WeightBudget(limit=20, share=1.0, window=0.2))
    loop = asyncio.get_running_loop()
    answered = []
    for _ in range(7):
        async with weight.request(4, "A", Priority.GAP):
            started = loop.time()
        answered.append((started, loop.time()))
    assert answered[5][0] >= answered[0][1] + 0.2
    assert answered[6][0] >= answered[1][1] + 0.2


async def test_a_ban_stops_tasks_that_already_have_their_turn() -> None:
    weight = WeightCoordinator(WeightBudget(limit=1000))
    loop = asyncio.get_running_loop()
    sent: list[float] = []

    async def send() -> None:
        async with weight.request(4, "A", Priority.GAP):
            sent.append(loop.time())

    blockers = [weight.request(4, "B", Priority.GAP) for _ in range(4)]
    for blocker in blockers:
        await blocker.__aenter__()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(8):
            tasks.create_task(send())
        await asyncio.sleep(0)
        for blocker in blockers:
            await blocker.__aexit__(None, None, None)  # grants, but nobody has run yet
        banned_until = weight.refused(429, 0.2)
    assert len(sent) == 8
    assert min(sent) >= banned_until
    assert weight.statistics().throttled == 1


async def test_an_unknown_retry_after_is_taken_for_the_longest_usual_one() -> None:
    weight = WeightCoordinator()
    weight.refused(429, None)
    assert 59 < weight.ban_remaining() < 61
    weight.refused(418, MAX_RETRY_AFTER_S * 2)
    assert 119 < weight.ban_remaining() < 121


async def test_cancelled_requests_leave_nothing_reserved() -> None:
    weight = WeightCoordinator(WeightBudget(limit=1000, max_in_flight=1))
    order: list[str] = []
    async with weight.request(4, "A", Priority.GAP):
        tasks = [
            asyncio.create_task(hold(weight, symbol, Priority.GAP, order)) for symbol in "ABCD"
        ]
        await asyncio.sleep(0)
        tasks[0].cancel()
        tasks[2].cancel()
    tasks[1].cancel()  # has its turn, and has not run since
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == ["GAP D"]
    statistics = weight.statistics()
    assert (statistics.reserved, statistics.waiting, statistics.used) == (0, 0, 8)


async def test_a_request_that_was_not_sent_costs_nothing() -> None:
    weight = WeightCoordinator()
    async with weight.request(4, "A", Priority.GAP) as receipt:
        receipt.sent = False
    statistics = weight.statistics()
    assert (statistics.used, statistics.reserved, statistics.requests) == (0, 0, 0)


async def test_a_request_that_never_fits_is_refused_at_once() -> None:
    weight = WeightCoordinator(WeightBudget(limit=100, share=0.5))
    with pytest.raises(ValueError, match="share"):
        async with weight.request(51, "A", Priority.GAP):
            pass


async def test_a_raised_limit_lets_waiting_requests_go() -> None:
    weight = WeightCoordinator(WeightBudget(limit=20, share=1.0))
    order: list[str] = []
    async with weight.request(20, "A", Priority.GAP):
        pass
    task = asyncio.create_task(hold(weight, "B", Priority.GAP, order))
    await asyncio.sleep(0)
    assert order == []
    weight.set_limit(6000)
    await task
    assert order == ["GAP B"]


async def test_requests_of_clients_leave_half_of_the_weight_to_gaps() -> None:
    weight = WeightCoordinator(WeightBudget(limit=100, share=1.0))
    order: list[str] = []
    for _ in range(12):
        async with weight.request(4, "A", Priority.REQUEST):
            pass
    asked = asyncio.create_task(hold(weight, "A", Priority.REQUEST, order))
    await asyncio.sleep(0.02)
    for _ in range(12):
        await asyncio.wait_for(hold(weight, "B", Priority.GAP, order), 1)
    assert order == ["GAP B"] * 12
    asked.cancel()
    await asyncio.wait({asked})


async def test_a_request_of_a_client_goes_on_when_its_share_is_free_again() -> None:
    weight = WeightCoordinator(WeightBudget(limit=40, share=1.0, window=0.2))
    loop = asyncio.get_running_loop()
    answered = []
    for _ in range(6):
        async with weight.request(4, "A", Priority.REQUEST):
            started = loop.time()
        answered.append((started, loop.time()))
    assert answered[5][0] >= answered[0][1] + 0.2


async def test_a_symbol_that_goes_first_has_every_second_grant() -> None:
    weight = WeightCoordinator(
        WeightBudget(limit=1000, max_in_flight=1), is_first=lambda symbol: symbol == "W"
    )
    order: list[str] = []
    wanted = [("A", Priority.GAP)] * 3 + [("B", Priority.HISTORY)] + [("W", Priority.HISTORY)] * 3
    async with weight.request(4, "X", Priority.GAP):
        tasks = [
            asyncio.create_task(hold(weight, symbol, priority, order))
            for symbol, priority in [*wanted, ("C", Priority.CLOCK)]
        ]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert order == [
        *("CLOCK C", "HISTORY W", "GAP A", "HISTORY W", "GAP A", "HISTORY W", "GAP A"),
        "HISTORY B",
    ]
