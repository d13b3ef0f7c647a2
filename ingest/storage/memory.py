"""The memory of this process: one heap for all threads, and no pages that only a start has used."""

from __future__ import annotations

import ctypes
import functools
import mmap
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

LIBRARY = "/_chdb."
M_ARENA_MAX = -8
"""The number of this option in glibc's malloc.h."""

_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) ")


def share_heap() -> None:
    """Let all threads, and Arrow, allocate from one heap, as far as the system has a choice.

    By default glibc has up to eight a core, and Arrow its own; each keeps what it has had at most.
    Threads hardly ever allocate at the same time, as Python runs one of them at a time, and the
    engine has an allocator of its own. Has to be called before the threads are started.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        mallopt(M_ARENA_MAX, 1)


@functools.cache
def release_library() -> None:
    """Release, once, the pages of the engine's library that this process has touched.

    Loading it touches 200 of its 540 MB: relocations, and initializers all over the code. These
    pages are unchanged ones of a file, so those that are used again come from the system's cache:
    half of them. Does nothing where the system has no such request.
    """
    advice = getattr(mmap, "MADV_DONTNEED", None)
    smaps = Path("/proc/self/smaps")
    if advice is None or not smaps.exists():
        return
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for start, end in unchanged(smaps.read_text()):
        madvise(start, end - start, advice)


def unchanged(smaps: str) -> Iterator[tuple[int, int]]:
    """The address ranges of the library that are read-only and have no page of this process's own.

    `smaps` is a file of that name in `/proc`.
    """
    found: tuple[int, int] | None = None
    for line in smaps.splitlines():
        if mapping := _MAPPING.match(line):
            start, end, access = mapping.groups()
            is_fixed = LIBRARY in line and access.startswith("r-")
            found = (int(start, 16), int(end, 16)) if is_fixed else None
        elif found and line.split() == ["Anonymous:", "0", "kB"]:
            yield found
