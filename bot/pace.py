"""How fast the bot goes where it waits on purpose, in one value: whoever starts it may make it faster."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from pipeline.configuration.keeper import EVERY_S


@dataclass(frozen=True, slots=True)
class Pace:
    """The waits that nothing outside asks for. All are in seconds."""

    between_s: float = 1.0
    """Between two updates of one message: Slack's own advice is not more than one a second."""
    share_s: float = 1.2
    """Between two updates of all messages together: Slack takes 50 a minute (page "Rate limits")."""
    again_s: float = 1.0
    """After a failure of Slack that may pass, unless Slack says how long."""
    configurations_s: float = EVERY_S
    """Between two looks at the files of the configurations."""
    double_click_s: float = 3.0
    """How long after a click another one is the same click once more."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    """How a run waits before it asks Microsoft Graph again."""


USUAL: Final = Pace()
