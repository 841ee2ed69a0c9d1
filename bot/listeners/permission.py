"""Whether the person behind a gesture may do something with a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.access import AccessDecision, decide
from bot.actor import Actor, interaction_actor
from pipeline.configuration import Configurations, Right
from pipeline.errors import ConfigurationUnknown
from pipeline.model import Run
from pipeline.runs.store import Store


class Permission:
    """Decides with the configuration of the run that a button belongs to, and with the channel it is in."""

    def __init__(self, store: Store, configurations: Configurations) -> None:
        self._store = store
        self._configurations = configurations

    async def ask(self, right: Right, body: Mapping[str, Any], run: Run) -> tuple[AccessDecision, Actor]:
        """Decide whether whoever made the gesture may do this, and say who and where they are."""
        actor = interaction_actor(body)
        if not actor.channel:  # a click in a modal names no channel: the modal knows where it was opened
            actor = replace(actor, channel=opened_in(body))
        if not actor.channel:  # or the run's message stands in one
            notice = await self._store.notice(run.run_id)
            actor = replace(actor, channel=str((notice or {}).get("channel") or ""))
        return self.decide(run, actor, right), actor

    def decide(self, run: Run, actor: Actor, right: Right) -> AccessDecision:
        """Decide with the run's own configuration; where it came to have none, with any.

        Raises ConfigurationUnknown where it is gone: another one's rights are not for this run's evidence.
        """
        known = self._configurations.all
        if run.configuration is None:  # it ended before an object was read: there is no evidence
            decisions = [decide(configuration, actor.id, actor.channel, right) for configuration in known]
            return next((decision for decision in decisions if decision.allowed), decisions[0])
        for configuration in known:
            if configuration.name == run.configuration:
                return decide(configuration, actor.id, actor.channel, right)
        raise ConfigurationUnknown(
            f"The configuration “{run.configuration}” of this run is no longer there, nor are its rights.",
            remedy="Ask whoever runs this bot in your organisation to bring it back.",
        )


def opened_in(body: Mapping[str, Any]) -> str:
    """Return the channel that a modal was opened in, as it remembers it itself; empty where it does not.

    The memory is the view's private_metadata, which only the bot writes.
    """
    try:
        kept = json.loads(str((body.get("view") or {}).get("private_metadata") or "{}"))
    except ValueError:
        return ""
    channel = kept.get("channel") if isinstance(kept, dict) else None
    return channel if isinstance(channel, str) else ""
