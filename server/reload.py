"""The settings read again while the server runs, on SIGHUP: what can be applied is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ingest.core.errors import CandlecastError
from server.settings import ENV_FILE, TABLE, Setting, Settings, field_of, load, shown

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the server that takes other settings while it runs."""

    name: str
    settings: frozenset[str]
    """The names of those that it takes, as `TABLE` has them; if there are none, it is called each
    time, as a part is that reads a file of its own."""
    apply: Callable[[Settings], Awaitable[None]]
    """Takes them all or, with a CandlecastError or OSError, none."""


class Reload:
    """Reads the settings again whenever it is asked to, and has the parts apply what changed."""

    def __init__(
        self, settings: Settings, parts: Sequence[Part], env_file: Path = ENV_FILE
    ) -> None:
        """`settings` are those in force."""
        self._settings = settings
        self._parts = parts
        self._env_file = env_file
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Have the settings read again; while they are, once more afterwards."""
        self._asked.set()

    async def run(self) -> None:
        """Do so whenever it is asked for, until cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            try:
                await self._read()
            except Exception:
                log.exception("Reading the settings again failed; those before are in force")

    async def _read(self) -> None:
        log.info("Reading %s again", self._env_file)
        try:
            if not self._env_file.is_file():
                raise FileNotFoundError(f"there is no file {self._env_file} here")
            new = load(env_file=self._env_file)
        except (CandlecastError, OSError, ValueError) as error:
            log.error("The settings stay as they are: %s", error)
            new = self._settings
        changed = {each.name: each for each in TABLE if self._differs(each, new)}
        for part in self._parts:
            if not part.settings or part.settings & changed.keys():
                await self._apply(part, new, [changed.pop(each, None) for each in part.settings])
        for setting in changed.values():
            log.warning("%s has changed: restart the server to apply it", setting.variable)

    def _differs(self, setting: Setting, new: Settings) -> bool:
        name = field_of(setting)
        return bool(getattr(new, name) != getattr(self._settings, name))

    async def _apply(self, part: Part, new: Settings, changed: list[Setting | None]) -> None:
        try:
            await part.apply(new)
        except (CandlecastError, OSError) as error:
            log.error("The %s stay as they are: %s", part.name, error)
            return
        if not part.settings:
            log.info("The %s were read again", part.name)
        for setting in filter(None, changed):
            value = getattr(new, field_of(setting))
            self._settings = replace(self._settings, **{field_of(setting): value})
            text = shown(value) if setting.public else "changed"
            log.info("%s is %s from now on", setting.variable, text)
