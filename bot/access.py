"""Who may do what: the configuration's grants, read as a decision with its reason. Nobody by default."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pipeline.configuration import Configuration, Configurations, Right
from pipeline.ids import ActorId
from pipeline.model import Mode

_INCLUDED_IN: Final = {
    Right.LOOK: (Right.LOOK, Right.PREVIEW, Right.PROVISION),
    Right.PREVIEW: (Right.PREVIEW, Right.PROVISION),
    Right.PROVISION: (Right.PROVISION,),
    Right.OVERRIDE_SCOPE: (Right.OVERRIDE_SCOPE,),
}
"""The rights whose holders have a given right as well."""

_ORDER: Final = tuple(Right)


@dataclass(frozen=True, slots=True)
class AccessDecision:
    """Whether an actor may do something, why, and whom to ask otherwise (TEAM/USER, possibly empty)."""

    allowed: bool
    why: str
    ask: tuple[str, ...] = ()
    here_only: bool = False
    """Whether the right is there, and only this channel is wrong."""


def decide(configuration: Configuration, actor: ActorId, channel: str, right: Right) -> AccessDecision:
    """Decide for one configuration. A grant to TEAM/* is to everyone of that workspace."""
    here_only = False
    for held in _INCLUDED_IN[right]:
        grant = configuration.access[held]
        if not _holds(actor, grant.people):
            continue
        if not grant.channels or channel in grant.channels:
            return AccessDecision(allowed=True, why=f"{held} is granted by “{configuration.name}”")
        here_only = True
    if here_only:
        why = f"You may {_do(right)}, but not in this channel."
        return AccessDecision(allowed=False, why=why, here_only=True)
    granted = configuration.access[max(right, Right.PROVISION, key=_ORDER.index)].people
    if not any(grant.people for grant in configuration.access.values()):
        return AccessDecision(
            allowed=False,
            why=f"Configuration “{configuration.name}” grants nobody any right, so nobody may {_do(right)}.",
        )
    ask = tuple(sorted(person for person in granted if not person.endswith("/*")))
    return AccessDecision(
        allowed=False,
        why=f"You have no right to {_do(right)} with configuration “{configuration.name}”.",
        ask=ask,
    )


def permitted(
    configurations: Configurations, actor: ActorId, channel: str, *rights: Right
) -> tuple[str, ...]:
    """Return the names of the configurations with which the actor may do all of this, here."""
    return tuple(
        c.name
        for c in configurations.all
        if all(decide(c, actor, channel, right).allowed for right in rights)
    )


def rights_for(mode: Mode, *, override_scope: bool) -> tuple[Right, ...]:
    """Return the rights that a run takes."""
    right = Right(str(mode))
    return (right, Right.OVERRIDE_SCOPE) if override_scope else (right,)


def _do(right: Right) -> str:
    return str(right).replace("_", " the ")


def _holds(actor: ActorId, people: Iterable[str]) -> bool:
    team = actor.partition("/")[0]
    return actor in people or f"{team}/*" in people
