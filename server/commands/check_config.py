"""`candlecast check-config`: the effective settings, and those that are doubtful."""

from __future__ import annotations

import argparse

from rich.console import Console

from server import settings
from server.doubts import doubts
from server.exits import Exit


async def check_config(effective: settings.Settings, _: argparse.Namespace) -> Exit:
    """Print each setting, its value and where that comes from; FOUND when one is doubtful."""
    console = Console(highlight=False, soft_wrap=True)
    shown, sources = effective.effective(), settings.sources()
    width = max(map(len, shown))
    for name, value in shown.items():
        console.print(f"{name:<{width}}  {sources[name]:<11}  {value}", markup=False)
    found = list(doubts(effective))
    for variable, text in found:
        console.print(f"doubtful: {variable}: {text}", markup=False)
    return Exit.found(found)
