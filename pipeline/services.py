"""Everything a run needs of the world, in one bundle."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from pipeline.configuration import Configuration, Configurations
from pipeline.errors import ConfigurationInvalid
from pipeline.expressions import Context
from pipeline.ports import Clock, Directory, Events, Journal, RunStore
from pipeline.recovery import Earlier
from pipeline.write_gate import WriteGate


@dataclass(frozen=True, slots=True)
class Services:
    """The ports, bound. `writes` is whether anything may be written at all."""

    configurations: Configurations
    directories: Mapping[str, Directory]
    tenant: WriteGate
    store: RunStore
    journal: Journal
    events: Events
    clock: Clock
    writes: bool
    random: random.Random = field(default_factory=random.SystemRandom)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    earlier: Earlier | None = None
    """What a process that ended in the middle of this run had begun to write."""

    def directory(self, configuration: Configuration) -> Directory:
        """Return the directory that a configuration reads from."""
        try:
            return self.directories[configuration.directory]
        except KeyError:
            raise ConfigurationInvalid(
                f"Configuration “{configuration.name}” reads from directory “{configuration.directory}”, "
                "and no directory of that name is set up."
            ) from None

    def context(self, configuration: Configuration) -> Context:
        """Return what expressions may ask for beside the object itself."""
        now = self.clock.now()  # one moment for all of an object's attributes
        return Context(now=lambda: now, random=self.random, parameters=configuration.parameters)
