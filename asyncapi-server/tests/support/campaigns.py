"""Contract tests, run beside the server that they test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

import pytest

P = ParamSpec("P")
T = TypeVar("T")

ONE_LOOP = pytest.mark.asyncio(loop_factories=["asyncio"])
"""The mark of tests of what has an event loop of its own, or none."""

_thread = ThreadPoolExecutor(max_workers=1)
"""The same one for all tests: hypothesis collects garbage once in each."""


async def beside(work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Run a contract test while the event loop serves."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_thread, partial(work, *arguments, **options))
