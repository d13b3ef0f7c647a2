"""A measured or load-generating process: pinned to a core, controlled by lines of text."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from .errors import BenchError

ROOT = Path(__file__).resolve().parent.parent
NAME_CHARS = 120
"""The length of a command line in errors."""
STOP_SECONDS = 10.0
"""How long a child may take to end before it is killed."""


class Child:
    """A child process, pinned to one core from its first instruction."""

    def __init__(
        self, argv: Sequence[str], core: int, *, environment: Mapping[str, str] | None = None
    ) -> None:
        self._name = " ".join(argv)[:NAME_CHARS]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {core})
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                bufsize=0,
            )
        finally:
            os.sched_setaffinity(0, before)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in = self._process.stdin
        self._out = self._process.stdout
        self._poll = select.poll()
        self._poll.register(self._out, select.POLLIN)
        self._text = b""

    @classmethod
    def module(cls, module: str, *arguments: object, core: int, **environment: str) -> Child:
        """Start a module of this project, in this interpreter."""
        argv = [sys.executable, "-m", module, *map(str, arguments)]
        return cls(argv, core, environment=environment)

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    def cpu_seconds(self) -> float:
        """CPU time of the process so far, user and system, all threads, in nanosecond steps."""
        # The kernel's per-process clock (clock_getcpuclockid), which Python does not expose.
        return time.clock_gettime((~self.pid << 3) | 2)

    def memory(self) -> int:
        """Resident bytes."""
        return self._status("VmRSS")

    def peak_memory(self) -> int:
        """The highest number of resident bytes so far."""
        return self._status("VmHWM")

    def send_line(self, line: str) -> None:
        """Write a line to the child."""
        try:
            self._in.write(line.encode() + b"\n")
        except BrokenPipeError as error:
            raise self._ended() from error

    def read_line(self, timeout: float = 60.0) -> str:
        """Read the next line of the child; BenchError when it ends or times out."""
        until = time.monotonic() + timeout
        while b"\n" not in self._text:
            if not self._poll.poll(max(until - time.monotonic(), 0) * 1000):
                raise BenchError(f"{self._name}: no answer within {timeout:g} s")
            data = os.read(self._out.fileno(), 65536)
            if not data:
                raise self._ended()
            self._text += data
        line, self._text = self._text.split(b"\n", 1)
        return line.decode()

    def expect(self, word: str, timeout: float = 60.0) -> list[str]:
        """The words after `word` in the next line that begins with it; skips other lines."""
        while True:
            first, *rest = self.read_line(timeout).split() or [""]
            if first == word:
                return rest

    def stop(self) -> None:
        """Terminate the process; kill it after a timeout."""
        self._in.close()
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._out.close()
        self._errors.close()

    def _status(self, field: str) -> int:
        text = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(rf"^{field}:\s*(\d+) kB$", text, re.MULTILINE)
        if found is None:
            raise self._ended()
        return int(found.group(1)) * 1024

    def _ended(self) -> BenchError:
        self._errors.seek(0)
        tail = self._errors.read()[-2000:].decode(errors="replace")
        return BenchError(f"{self._name} ended by itself:\n{tail}")
