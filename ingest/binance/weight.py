"""Request weight handed out to every task that asks the exchange anything, in a fair order."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from .budget import MAX_LIMIT, WINDOW_S, Priority, WeightBudget, WeightStatistics

__all__ = ["WINDOW_S", "Priority", "WeightCoordinator"]


_SHARED = (Priority.GAP, Priority.HISTORY)
"""The priorities of which symbols that go first have every second grant."""


class Receipt:
    """The outcome of a request: whether it was sent, and the weight that its answer reported."""

    sent = True
    used_weight: int | None = None
    """The value of `X-MBX-USED-WEIGHT-1M`."""


class _Waiting(NamedTuple):
    weight: int
    granted: asyncio.Future[None]


class WeightCoordinator:
    """Hands out request weight to every task that asks the exchange anything.

    Higher priority goes first; within one priority the symbols take turns. Of the grants for gaps
    and history every second one is for a symbol that goes first, whichever of them it asks for.
    """

    def __init__(
        self,
        budget: WeightBudget | None = None,
        *,
        is_first: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """`is_first` says, whenever there is weight, whether a symbol goes first."""
        self._budget = budget or WeightBudget()
        self._is_first = is_first
        self._was_first = False
        self._queues: dict[Priority, OrderedDict[str, deque[_Waiting]]] = {
            priority: OrderedDict() for priority in Priority
        }
        self._timer: asyncio.TimerHandle | None = None

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    @property
    def limit(self) -> int:
        """The exchange's limit of weight per minute."""
        return self._budget.limit

    def set_limit(self, limit: int) -> None:
        """Adopt the weight per minute of `exchangeInfo`."""
        self._budget.limit = min(limit, MAX_LIMIT)
        self._hand_out()

    def ban_remaining(self) -> float:
        """Seconds for which nothing may be sent; 0 when there is no ban."""
        return max(0.0, self._budget.banned_until - self._now())

    def refused(self, status: int, retry_after: float | None) -> float:
        """Obey a 429 or 418 for every task; returns when the next request may be sent."""
        retry_at = self._budget.refused(self._now(), status, retry_after)
        self._hand_out()
        return retry_at

    @asynccontextmanager
    async def request(self, weight: int, symbol: str, priority: Priority) -> AsyncIterator[Receipt]:
        """Wait for `weight`, hold it while the request runs, and account for it after.

        Put what the answer says was used into the receipt.
        """
        await self._reserve(weight, symbol, priority)
        receipt = Receipt()
        try:
            yield receipt
        finally:
            if receipt.sent:
                self._budget.settle(weight, self._now(), receipt.used_weight)
            else:
                self._budget.release(weight)
            self._hand_out()

    async def _reserve(self, weight: int, symbol: str, priority: Priority) -> None:
        if weight > self._budget.budget:
            raise ValueError(
                f"A request of weight {weight} never fits {self._budget.budget} a minute: "
                "raise the share of the request weight"
            )
        while True:
            waiting = _Waiting(weight, asyncio.get_running_loop().create_future())
            self._queues[priority].setdefault(symbol, deque()).append(waiting)
            self._hand_out()
            try:
                await waiting.granted
            except asyncio.CancelledError:
                if waiting.granted.done() and not waiting.granted.cancelled():
                    self._budget.release(weight)
                self._hand_out()
                raise
            if not self.ban_remaining():
                return
            self._budget.release(weight)  # the ban came between the grant and this

    def _hand_out(self) -> None:
        """Grant what can be granted, in order, and come back when more can."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._now()
        while (chosen := self._next()) is not None:
            priority, symbol = chosen
            waiters = self._queues[priority][symbol]
            if waiters[0].granted.cancelled():
                waiters.popleft()
            elif self._budget.reserve(waiters[0].weight, now, priority):
                waiters.popleft().granted.set_result(None)
                self._queues[priority].move_to_end(symbol)
                if priority in _SHARED:
                    self._was_first = self._is_first(symbol)
            else:
                self._come_back(waiters[0].weight, now, priority)
                return
            if not waiters:
                del self._queues[priority][symbol]

    def _next(self) -> tuple[Priority, str] | None:
        """Whose request is next; None when none waits."""
        if not self._queues[Priority.CLOCK] and not self._was_first:
            for priority in _SHARED:
                for symbol in self._queues[priority]:
                    if self._is_first(symbol):
                        return priority, symbol
        for priority, queue in self._queues.items():
            if queue:
                return priority, next(iter(queue))
        return None

    def _come_back(self, weight: int, now: float, priority: Priority) -> None:
        at = self._budget.retry_at(weight, now, priority)
        if at is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, at - now) + 0.001, self._hand_out)

    def statistics(self) -> WeightStatistics:
        """The account as it stands."""
        now, budget = self._now(), self._budget
        return WeightStatistics(
            limit=budget.limit,
            budget=budget.budget,
            used=budget.used(now),
            reserved=budget.reserved,
            requests=budget.requests,
            throttled=budget.throttled,
            banned_for=self.ban_remaining(),
            waiting=sum(
                not waiting.granted.done()
                for queue in self._queues.values()
                for waiters in queue.values()
                for waiting in waiters
            ),
        )
