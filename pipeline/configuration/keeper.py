"""The configurations in force: those on disk, or the last good ones while those on disk are broken."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from pipeline.configuration.model import Configuration
from pipeline.configuration.selection import (
    Configurations,
    Trouble,
    configuration_files,
    load_configurations,
)
from pipeline.errors import ConfigurationInvalid

EVERY_S: Final = 3.0
"""How often the files are looked at, in seconds."""

_log = logging.getLogger(__name__)

_Stamp = tuple[tuple[str, int, int, int], ...]


class Reloaded(StrEnum):
    """What became of asking for a reload."""

    UNCHANGED = "unchanged"
    REPLACED = "replaced"
    REFUSED = "refused"
    """The files have changed and cannot be used; the configurations loaded before stay in force."""


def _now() -> datetime:
    return datetime.now(UTC)


class ConfigurationKeeper(Configurations):
    """All configurations, as they are on disk, or as they last were while they were good.

    They are replaced together or not at all: files refer to each other by names, defaults and bases. Whoever
    holds the keeper sees the change with the next question; a run keeps the configuration it began with.
    Raises ConfigurationInvalid when it is made on files that are not good.
    """

    __slots__ = ("_folder", "_in_force", "_now", "_stamp", "_trouble")

    def __init__(self, folder: Path, now: Callable[[], datetime] = _now) -> None:
        self._folder = folder
        self._now = now
        self._stamp = _stamp(folder)
        self._in_force = load_configurations(folder)
        self._trouble: Trouble | None = None
        super().__init__(self._in_force.all)

    @property
    def all(self) -> tuple[Configuration, ...]:
        """Every configuration that is in force."""
        return self._in_force.all

    @property
    def trouble(self) -> Trouble | None:
        """Why the files on disk are not in force; None when they are."""
        return self._trouble

    def reload(self) -> Reloaded:
        """Read the files again if any has changed, come or gone since they were last looked at."""
        stamp = _stamp(self._folder)  # before reading: a change in between is seen the next time
        if stamp == self._stamp:
            return Reloaded.UNCHANGED
        self._stamp = stamp
        try:
            loaded = load_configurations(self._folder)
        except ConfigurationInvalid as error:
            lines = (line.removeprefix(f"{self._folder}{os.sep}") for line in error.message.splitlines())
            self._trouble = Trouble(tuple(lines), self._now())
            _log.warning("%s", self._trouble.note)
            return Reloaded.REFUSED
        self._in_force, self._trouble = loaded, None
        names = ", ".join(f"{c.name} ({c.digest[:14]})" for c in loaded.all)
        _log.info("configurations in force: %s", names)
        return Reloaded.REPLACED

    async def watch(self, every: float = EVERY_S) -> None:
        """Reload whenever the files change, until cancelled. `every` is in seconds."""
        while True:
            await asyncio.sleep(every)
            try:
                await asyncio.to_thread(self.reload)
            except OSError as error:  # a share that is away comes back
                _log.warning("the configurations cannot be looked at: %s", error)


def _stamp(folder: Path) -> _Stamp:
    """Return what tells one state of the files from another: names, times, sizes, and which file it is."""
    found: list[tuple[str, int, int, int]] = []
    for path in configuration_files(folder):
        try:
            facts = path.stat()
        except OSError:
            continue  # gone, or not there yet: reading will say so
        found.append((path.name, facts.st_mtime_ns, facts.st_size, facts.st_ino))
    return tuple(found)
