"""Who is asking, from what Slack signed: workspace and user id, nothing that a person can choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.ids import ActorId


class UnknownActorError(ValueError):
    """The request does not say who sent it, or comes from a workspace that is not served."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A person in a workspace, and the channel they are in (empty where there is none)."""

    team: str
    user: str
    channel: str

    @property
    def id(self) -> ActorId:
        """TEAM/USER, as access rules name them."""
        return ActorId(f"{self.team}/{self.user}")


def command_actor(body: Mapping[str, Any]) -> Actor:
    """Read the actor of a slash command. Raises UnknownActorError."""
    return _actor(body.get("team_id"), body.get("user_id"), body.get("channel_id"))


def interaction_actor(body: Mapping[str, Any]) -> Actor:
    """Read the actor of a click. Raises UnknownActorError.

    A click in a modal carries no channel; the run that the modal shows does, see `listeners.buttons`.
    """
    team = body.get("team") or {}
    user = body.get("user") or {}
    channel = body.get("channel") or {}
    return _actor(user.get("team_id") or team.get("id"), user.get("id"), channel.get("id"))


def _actor(team: object, user: object, channel: object) -> Actor:
    if not isinstance(team, str) or not team or not isinstance(user, str) or not user:
        raise UnknownActorError("the request does not say who sent it")
    return Actor(team, user, channel if isinstance(channel, str) else "")
