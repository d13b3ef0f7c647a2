"""Deep recursion: documents contain themselves by way of more references than Python allows."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

MAX_FRAMES = 30_000
_STACK_BYTES = 256 * 2**20
"""Reserved, not used, unless the recursion is as deep."""


def deeply(function: Callable[[], T]) -> T:
    """The result of a function that may recurse by MAX_FRAMES, and raises RecursionError beyond."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:
            errors.append(error)

    frames, stack = sys.getrecursionlimit(), threading.stack_size(_STACK_BYTES)
    try:
        thread = threading.Thread(target=run, daemon=True)
        sys.setrecursionlimit(max(frames, MAX_FRAMES))
        thread.start()
        thread.join()
    finally:
        sys.setrecursionlimit(frames)
        threading.stack_size(stack)
    if errors:
        raise errors[0]
    return results[0]
