"""A test of one channel: each constraint by itself, then sequences until enough is sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky, Unsatisfiable
from hypothesis.stateful import run_state_machine_as_test
from hypothesis.strategies import SearchStrategy

from asyncapi_server.contract_tests.cases import NOT_JSON, Case, Cases, Kind, vocabulary
from asyncapi_server.contract_tests.client import Client, Tally, close_all
from asyncapi_server.contract_tests.conversation import Judge
from asyncapi_server.contract_tests.machine import Server, machine
from asyncapi_server.contract_tests.opening import opening
from asyncapi_server.contract_tests.rules import Rules
from asyncapi_server.contract_tests.values import Json, Known, values
from asyncapi_server.contract_tests.violations import ContractViolation
from asyncapi_server.document.contract import Contract
from asyncapi_server.document.loader import load_document
from asyncapi_server.document.model import Channel, Message
from asyncapi_server.validation import validator

SAMPLES = 40
"""Generated values of each message whose near misses are tried one by one."""
STEPS = 8
"""The most steps in one sequence."""
ROUND = 200
"""Sequences between two checks of how much has been sent."""
USUAL_SEQUENCE = 12
"""Average messages in a sequence, to estimate how many sequences are still needed."""
MAX_VIOLATIONS = 10
"""The test stops after this many."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report: messages sent, answers received, and violations."""

    tally: Tally
    violations: tuple[ContractViolation, ...]
    seconds: float
    unmade: tuple[str, ...] = ()
    """The messages of which no value was found: they were not sent."""

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        tally = self.tally
        rate = tally.messages / self.seconds if self.seconds else 0
        yield (
            f"{tally.messages} messages over {tally.connections} connections "
            f"in {self.seconds:.0f} s ({rate:.0f} a second)"
        )
        for (kind, message), count in sorted(tally.sent.items()):
            answers = {
                reply: n for (k, m, reply), n in tally.answers.items() if (k, m) == (kind, message)
            }
            listed = ", ".join(f"{reply} {n}" for reply, n in sorted(answers.items()))
            yield f"  {kind:15} {message:25} {count:8}   {listed}"
        for name, count in sorted(tally.unasked.items()):
            yield f"  {'by itself':15} {name:25} {count:8}"
        for name in self.unmade:
            yield f"  {'not sent':15} {name:25} no value of its schema was found: write an example"
        yield f"{len(tally.sites)} constraints violated:"
        for site, count in sorted(tally.sites.items()):
            yield f"  {site:65} {count:8}"
        yield f"{len(self.violations)} violations of the document"
        for violation in self.violations:
            yield f"{type(violation).__name__}: {violation}"


def run_all(
    document: Path | str,
    url: str,
    *,
    as_client: bool = False,
    messages: int = 1000,
    random_seed: int = 0,
    rules: Rules | None = None,
    server: str | None = None,
    progress: Callable[[Tally], None] = lambda _: None,
) -> dict[str, Report]:
    """Test every channel that receives messages, at its address below `url`; see `run`.

    Parameters of an address, and what bindings require of query and headers, are values that the
    document illustrates.
    """
    rules = rules or Rules()
    reports = {}
    for channel in load_document(document, as_client=as_client).channels.values():
        if channel.receives:
            path, headers = opening(channel)
            reports[channel.address] = run(
                document,
                url.rstrip("/") + path,
                address=channel.address,
                as_client=as_client,
                messages=messages,
                random_seed=random_seed,
                rules=replace(rules, headers={**headers, **rules.headers}),
                server=server,
                progress=progress,
            )
    return reports


def run(
    document: Path | str,
    url: str,
    *,
    address: str | None = None,
    as_client: bool = False,
    messages: int = 1000,
    random_seed: int = 0,
    rules: Rules | None = None,
    server: str | None = None,
    progress: Callable[[Tally], None] = lambda _: None,
) -> Report:
    """Test the server at `url` (ws:// or wss://, the path included) against a document.

    `address` is the channel, required when the document has several; `server` is the document's
    name for this server; `as_client` says that it describes a client instead. At least `messages`
    messages are sent unless a violation is found; `progress` is called after each round of
    sequences.
    Raises DocumentError for a document that cannot be served, ValueError for an unknown address.
    """
    rules = rules or Rules()
    loaded = load_document(document, as_client=as_client)
    channel = _channel(loaded.channels, address)
    contract = Contract.from_document(loaded).channel(channel.address)
    judge = Judge(contract, rules)
    examples = [[e.payload for e in m.examples] for m in (*channel.receives, *channel.sends)]
    known = vocabulary([*examples])
    material = {m.name: _material(m, known, random_seed) for m in channel.receives}
    payloads = {name: each.payloads for name, each in material.items() if each.samples}
    cases = Cases(contract, rules=rules, payloads=payloads, server=server)
    unmade = tuple(name for name in material if name not in payloads)
    started = time.monotonic()
    with asyncio.Runner() as runner:
        target = Server(url, judge, runner)
        try:
            singles = runner.run(_one_by_one(target, _singles(cases, material)))
            found = singles or _sequences(target, cases, messages, random_seed, progress)
        finally:
            runner.run(target.close())
    return Report(target.tally, tuple(found), time.monotonic() - started, unmade)


def _channel(channels: Mapping[str, Channel], address: str | None) -> Channel:
    if address is None and len(channels) == 1:
        return next(iter(channels.values()))
    if address is None or address not in channels:
        listed = ", ".join(sorted(channels)) or "there is none"
        raise ValueError(f"name one of the channels: {listed}")
    return channels[address]


@dataclass(frozen=True, slots=True)
class _Material:
    """The payloads of one message."""

    examples: list[Json]
    """Those that are written in the document."""
    samples: list[Json]
    """Some of all; none when none was found."""
    payloads: SearchStrategy[Json]


def _material(message: Message, known: Known, random_seed: int) -> _Material:
    is_valid = validator(message.schema).is_valid
    examples = [example.payload for example in message.examples if is_valid(example.payload)]
    drawn = values(message.schema, known)
    found: list[Json] = []

    @seed(random_seed)
    @_settings(SAMPLES)
    @given(drawn)
    def collect(value: Json) -> None:
        found.append(value)

    try:
        collect()
    except Unsatisfiable:
        drawn = st.sampled_from(examples) if examples else st.nothing()
    return _Material(examples, [*examples, *found], drawn)


def _singles(cases: Cases, material: Mapping[str, _Material]) -> list[Case]:
    """The written examples, one violation of each constraint, and texts that are no messages."""
    found = [cases.garbled("text", text.encode()) for text in NOT_JSON]
    for name, each in material.items():
        found.extend(cases.written(name, payload) for payload in each.examples)
        found.extend(cases.misses(name, each.samples))
    return found


async def _one_by_one(server: Server, cases: list[Case]) -> list[ContractViolation]:
    """Send each message by itself, over several connections in turn, each of which has the whole
    rate. After a violation all are new: a wait for an answer leaves the others without a pong."""
    found: list[ContractViolation] = []
    clients: dict[int, Client] = {}
    for number, case in enumerate(cases):
        turn = number % server.judge.rules.connections
        try:
            if turn not in clients:
                clients[turn] = await server.connect()
            await _try(clients[turn], case)
        except ContractViolation as violation:
            await close_all(clients.values())
            clients.clear()
            found.append(await _alone(server, case) or violation)
            if len(found) == MAX_VIOLATIONS:
                break
    await close_all(clients.values())
    return found


async def _alone(server: Server, case: Case) -> ContractViolation | None:
    """The violation that one message causes on a new connection, if any."""
    try:
        client = await server.connect()
        try:
            await _try(client, case)
        finally:
            await client.close()
    except ContractViolation as violation:
        return violation
    return None


async def _try(client: Client, case: Case) -> None:
    await client.send(case)
    await client.settle()
    await client.alive()
    if case.kind is Kind.VALID:
        await client.listen(client.rules.listen_seconds)


def _sequences(
    server: Server,
    cases: Cases,
    messages: int,
    random_seed: int,
    progress: Callable[[Tally], None],
) -> list[ContractViolation]:
    """Run sequences until enough is sent or a violation is found."""
    number = random_seed
    while (missing := messages - server.tally.messages) > 0:
        runs = min(ROUND, missing // USUAL_SEQUENCE + 1)
        try:
            run_state_machine_as_test(
                seed(number)(machine(cases, server)), settings=_settings(runs)
            )
        except ContractViolation as violation:
            return [violation]
        except (BaseExceptionGroup, Flaky) as error:
            found = list(_flat(error))
            if found:
                return found[:MAX_VIOLATIONS]
            if server.last is None:
                raise
            return [server.last]  # it did not recur, so it could not be shrunk
        number += 1
        progress(server.tally)
    return []


def _flat(error: BaseException) -> Iterator[ContractViolation]:
    """The violations in a group of errors."""
    if isinstance(error, ContractViolation):
        yield error
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _flat(inner)


def _settings(examples: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        print_blob=False,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
