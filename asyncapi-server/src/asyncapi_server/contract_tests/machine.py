"""Sequences of messages over several connections, generated and shrunk by hypothesis."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import aiohttp
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from asyncapi_server.contract_tests.cases import Case, Cases
from asyncapi_server.contract_tests.client import Client, Tally, close_all
from asyncapi_server.contract_tests.conversation import Judge
from asyncapi_server.contract_tests.violations import ContractViolation

LISTEN_SECONDS = 0.02
MAX_BURST = 8
"""Messages that are sent before an answer is awaited."""


class Server:
    """The server under test, and the event loop of its clients."""

    def __init__(self, url: str, judge: Judge, runner: asyncio.Runner) -> None:
        self.url = url
        self.tally = Tally()
        self.judge = judge
        self.runner = runner
        self.last: ContractViolation | None = None
        """The last violation, kept because some do not recur."""
        self._session: aiohttp.ClientSession | None = None

    async def connect(self) -> Client:
        """A new connection; raises ConnectionClosed."""
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return await Client.connect(self._session, self.url, self.judge, self.tally)

    def do(self, step: Coroutine[object, object, None]) -> None:
        """Run one step of a sequence. Raises a ContractViolation."""
        try:
            self.runner.run(step)
        except ContractViolation as violation:
            self.last = violation
            raise

    async def close(self) -> None:
        """Close the HTTP session."""
        if self._session is not None:
            await self._session.close()


class Clients:
    """The connections of one run of the machine."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._open: dict[int, Client] = {}
        self._sent: list[Case] = []

    async def exchange(self, burst: list[tuple[int, Case]]) -> None:
        """Send messages over their connections at once, then check the answers and connections."""
        used = {}
        for number, case in burst:
            if number not in self._open:
                self._open[number] = await self._server.connect()
            used[number] = client = self._open[number]
            self._sent.append(case)
            if case.message not in self._server.judge.rules.several:
                await client.send(case)
                continue
            # The number of answers is not known: no other message may await one meanwhile.
            await client.settle()
            await client.send(case)
            await client.settle()
            await client.alive()
        # One after the other, so that the same burst always fails in the same place.
        for client in used.values():
            await client.settle()
            await client.alive()

    async def repeat(self, number: int, which: int) -> None:
        """Send an earlier message again, on any connection."""
        if self._sent:
            await self.exchange([(number, self._sent[which % len(self._sent)])])

    async def listen(self, number: int) -> None:
        """Check unsolicited messages of a connection for a while."""
        client = self._open.get(number)
        if client is not None:
            await client.listen(LISTEN_SECONDS)

    async def leave(self, number: int) -> None:
        """Close a connection; the next message with its number opens a new one."""
        client = self._open.pop(number, None)
        if client is not None:
            await client.close()

    async def finish(self) -> None:
        """Close the open connections; errors are ignored."""
        await close_all(self._open.values())


def machine(cases: Cases, server: Server) -> type[RuleBasedStateMachine]:
    """The state machine of one channel of one server."""
    connections = st.integers(0, server.judge.rules.connections - 1)

    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self._clients = Clients(server)

        @rule(burst=st.lists(st.tuples(connections, cases.any), min_size=1, max_size=MAX_BURST))
        def exchange(self, burst: list[tuple[int, Case]]) -> None:
            server.do(self._clients.exchange(burst))

        @rule(number=connections, which=st.integers(0, 100))
        def repeat(self, number: int, which: int) -> None:
            server.do(self._clients.repeat(number, which))

        @rule(number=connections)
        def listen(self, number: int) -> None:
            server.do(self._clients.listen(number))

        @rule(number=connections)
        def leave(self, number: int) -> None:
            server.do(self._clients.leave(number))

        def teardown(self) -> None:
            server.do(self._clients.finish())

    return Machine
