"""The machine: its description, and its cores for server and load."""

from __future__ import annotations

import functools
import os
import platform
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

PACKAGES = (
    "aiohttp", "chdb-core", "clickhouse-connect", "connexion", "cryptofeed", "duckdb", "fastapi",
    "jsonschema", "jsonschema-rs", "msgspec", "orjson", "pydantic", "socketify", "starlette",
    "uvicorn", "uvloop", "websockets",
)  # fmt: skip
"""The packages whose versions are part of the description."""


@dataclass(frozen=True, slots=True)
class Cores:
    """The core of the measured process and the core of its load."""

    server: int
    load: int


@functools.cache
def cores() -> Cores:
    """The first and last core of this process's affinity at the first call."""
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(allowed[0], allowed[-1])


def describe() -> dict[str, object]:
    """The machine and the versions, as JSON values."""
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_average": os.getloadavg()[0],
        "packages": versions(),
    }


def versions() -> dict[str, str]:
    """The installed versions of PACKAGES."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    found = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    return found.group(1) if found else platform.machine()
