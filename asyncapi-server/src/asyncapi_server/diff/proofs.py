"""Proofs that one JSON Schema accepts all values of another, by the engine jsonschema-rs.

A relation that the engine cannot prove does not hold. It runs in a process of its own, with bounds
on time and memory: some schemas keep it busy for minutes, and some end its process (0.60.3).
"""

from __future__ import annotations

import atexit
import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
from functools import cache

from jsonschema_rs.canonical import Containment

from asyncapi_server.diff import engine

MAX_SECONDS = 20.0
"""Time for all proofs of one comparison: what is left after it is not proven."""
MAX_SECONDS_OF_ONE = 5.0


class Proofs:
    """The proofs of one comparison, each made once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], bool] = {}
        self._left = MAX_SECONDS

    def within(self, one: str, other: str) -> bool:
        """Whether it is proven that every value of `one` is a value of `other`.

        Both are the canonical texts of schemas of draft 2020-12, without references.
        """
        if one == other:
            return True
        if (one, other) not in self._known:
            started = time.monotonic()
            seconds = min(self._left, MAX_SECONDS_OF_ONE)
            self._known[one, other] = seconds > 0 and _engine().covers(other, one, seconds)
            self._left -= time.monotonic() - started
        return self._known[one, other]


class _Engine:
    """The engine's process, which is started anew after it has ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()

    def covers(self, wide: str, narrow: str, seconds: float) -> bool:
        """Whether `wide` is proven to accept all values of `narrow`, within some time."""
        with self._lock:
            process = self._process or self._start()
            try:
                assert process.stdin is not None  # noqa: S101  # it is a pipe
                process.stdin.write(json.dumps([wide, narrow]) + "\n")
                process.stdin.flush()
                answer = self._answers.get(timeout=seconds)
            except (OSError, queue.Empty):
                answer = ""
            if not answer:
                self.end()
            return answer.strip() == str(Containment.YES)

    def end(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    if pipe is not None:
                        pipe.close()

    def _start(self) -> subprocess.Popen[str]:
        self._process = process = subprocess.Popen(  # noqa: S603  # a script of ours
            [sys.executable, "-P", engine.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        self._answers = queue.SimpleQueue()
        threading.Thread(target=_read, args=(process, self._answers), daemon=True).start()
        return process


def _read(process: subprocess.Popen[str], answers: queue.SimpleQueue[str]) -> None:
    """Pass on the answers of a process; an empty one at its end."""
    with contextlib.suppress(OSError, ValueError):
        for line in process.stdout or ():
            answers.put(line)
    answers.put("")


@cache
def _engine() -> _Engine:
    found = _Engine()
    atexit.register(found.end)
    return found
