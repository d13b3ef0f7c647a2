"""Runs a plan in a loop of its own, with virtual time, and collects what did not hold."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ingest.pipeline import listing
from tests.world.loop import START_S, Stuck, VirtualLoop
from tests.world.plan import Plan
from tests.world.process import Crashed, make_task
from tests.world.world import Backend, World


def live(
    plan: Plan, backend: Backend, trace: Callable[[str], None] | None = None
) -> tuple[list[str], float]:
    """Run a plan; returns what did not hold, and the simulated seconds."""
    random.seed(plan.seed)
    loop = VirtualLoop()
    loop.set_task_factory(make_task)
    asyncio.set_event_loop(loop)
    wrong: list[str] = []
    try:
        loop.run_until_complete(_run(plan, backend, trace, wrong))
    except Stuck as error:
        wrong.append(str(error))
    finally:
        seconds = loop.time() - START_S
        asyncio.set_event_loop(None)
        loop.close()
    return wrong, seconds


async def _run(
    plan: Plan, backend: Backend, trace: Callable[[str], None] | None, wrong: list[str]
) -> None:
    world = World(plan, backend, trace)
    asyncio.get_running_loop().set_exception_handler(lambda _, context: _unhandled(world, context))
    with _errors(world.fail):
        try:
            await world.run()
        finally:
            wrong.extend(world.wrong)
            await world.end()


class _Errors(logging.Handler):
    """Errors that the product logs: nothing that the world does is a reason for one."""

    def __init__(self, on_error: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._on_error = on_error

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == listing.__name__:  # that a symbol is not listed is for the operator
            return
        error = record.exc_info[1] if record.exc_info else None
        if not _is_of_crash(error):
            self._on_error(f"an error was logged: {record.getMessage()} {error!r}")


@contextmanager
def _errors(on_error: Callable[[str], None]) -> Iterator[None]:
    """Log nothing but errors, and those to `on_error`."""
    handler = _Errors(on_error)
    loggers = [logging.getLogger(name) for name in ("ingest", "handlers", "asyncapi_server")]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.ERROR)
        logger.propagate = False
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
            logger.setLevel(logging.NOTSET)
            logger.propagate = True


def _unhandled(world: World, context: dict[str, Any]) -> None:
    """An error that nobody has taken note of."""
    error = context.get("exception")
    if not _is_of_crash(error):
        world.fail(f"unhandled: {context.get('message')} {error!r}")


def _is_of_crash(error: BaseException | None) -> bool:
    """Whether an error is how a task of a process that has crashed ends."""
    if isinstance(error, BaseExceptionGroup):
        return any(map(_is_of_crash, error.exceptions))
    return isinstance(error, (Crashed, asyncio.CancelledError))
