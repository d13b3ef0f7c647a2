"""Commands of `candlecast` in a terminal of a known size, or with pipes."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from typing import Any

from tests.running import ROOT

END_SECONDS = 60.0
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


async def started(*arguments: str, **options: Any) -> Process:
    """A command that runs, without the settings of whoever runs the tests."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CANDLECAST_")}
    environment = {k: v for k, v in environment.items() if k not in ("COLUMNS", "LINES")}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server.cli", *arguments),
        cwd=ROOT,
        env={**environment, "TERM": "xterm-256color"},
        **options,
    )


async def piped(*arguments: str) -> tuple[int | None, str, str]:
    """Run a command to its end; gives its status, output and errors."""
    process = await started(*arguments, stdout=PIPE, stderr=PIPE)
    async with asyncio.timeout(END_SECONDS):
        output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


async def in_terminal(
    rows: int, columns: int, *arguments: str, until: Callable[[str], bool] = lambda _: False
) -> tuple[int | None, str]:
    """Run a command in a terminal; Ctrl-C ends it once something holds of its output."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = await started(*arguments, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    output, is_ending = b"", False
    try:
        async with asyncio.timeout(END_SECONDS):
            while True:
                if not is_ending and until(output.decode(errors="replace")):
                    process.send_signal(signal.SIGINT)
                    is_ending = True
                try:
                    output += await asyncio.to_thread(os.read, ours, 65536)
                except OSError:  # the other side is closed
                    return await process.wait(), output.decode()
    finally:
        os.close(ours)


def frames(output: str) -> list[list[str]]:
    """The lines of each screen that was drawn, without colours."""
    shown = output.split("\x1b[?1049l")[0].split("\x1b[H")
    return [CONTROL.sub("", screen).splitlines() for screen in shown[1:]]
