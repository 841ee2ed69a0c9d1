"""What many commands come to while processes are killed under them: counted, and told as numbers."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.demo import CHANNEL
from sandbox.people import directory_entries, tenant_seed
from tests.chaos.city import City, is_final


@dataclass(frozen=True, slots=True)
class Toll:
    """What came of a soak."""

    commands: int
    kills: int
    final: int
    seconds: float
    """From the last kill, or where there was none from the last command, to the last final message."""
    in_all: float
    outcomes: Mapping[str, int]
    doubled: Sequence[str]
    """Objects on which a write took effect more often than once."""
    unfinished: int
    stale: int
    """Messages that Slack had taken when a process died that had not yet noted them."""
    attempts: int
    """How often a run was begun at most."""

    def line(self, name: str) -> str:
        """Return it as one line."""
        outcomes = ", ".join(f"{number} {outcome}" for outcome, number in sorted(self.outcomes.items()))
        return (
            f"{name}: {self.commands} commands, {self.kills} kills; {self.final} final, the last one "
            f"{self.seconds:.1f} s after the last kill ({self.in_all:.1f} s in all); {outcomes}; "
            f"{len(self.doubled)} doubled, {self.unfinished} unfinished, {self.stale} stale messages, "
            f"at most {self.attempts} attempts"
        )


def empty_tenant() -> dict[str, Any]:
    """Return a tenant that holds nobody, so that whoever is provisioned is created."""
    return tenant_seed() | {"users": [], "groups": [], "deletedItems": [], "privileged": []}


def people(number: int) -> list[str]:
    """Return so many people in scope; the same ones again where there are not so many."""
    found = [
        entry.dn
        for entry in directory_entries()
        if b"user" in entry.attributes.get("objectClass", ())
        and ",OU=Corp," in entry.dn
        and entry.attributes.get("employeeType") == (b"Employee",)
    ]
    return [found[index % len(found)] for index in range(number)]


async def soak(
    city: City,
    names: Sequence[str],
    *,
    replicas: int,
    kill_each_s: tuple[float, float] | None,
    seed: int,
    patience_s: float = 60,
) -> Toll:
    """Type a command for each of these people while processes are killed, and wait for every message.

    With `kill_each_s` one process after the other is killed at random and started again, until all commands
    are typed; without it one is killed in the middle, and started again where it was the only one.
    """
    dice = random.Random(seed)  # noqa: S311  # dice of a test
    city.tenant.slowness = dice
    for _ in range(replicas):
        await city.started()
    began = time.monotonic()
    typed: list[asyncio.Task[dict[str, Any]]] = []
    killed_at, kills = began, 0

    async def type_all() -> None:
        for dn in names:
            typed.append(asyncio.create_task(city.type(dn)))
            await asyncio.sleep(dice.uniform(0, 0.1) if kill_each_s else 0.01)

    typing = asyncio.create_task(type_all())
    if kill_each_s is None:
        await city.until(lambda: len(city.effects()) >= len(names) // 4, within=120)
        kills, killed_at = 1, await _kill_one(city, dice, again=replicas == 1)
    while kill_each_s is not None and not (typing.done() and all(task.done() for task in typed)):
        await asyncio.sleep(dice.uniform(*kill_each_s))
        kills, killed_at = kills + 1, await _kill_one(city, dice, again=True)
    await typing
    answers = await asyncio.gather(*typed)
    assert all(answer["ok"] for answer in answers), [a for a in answers if not a["ok"]][:3]
    await city.until(lambda: len(city.ended()) >= len(names), within=patience_s)
    ended = time.monotonic()
    await city.until_settled(60)
    return _toll(city, len(names), kills, (ended - killed_at, ended - began))


async def _kill_one(city: City, dice: random.Random, *, again: bool) -> float:
    living = [process for process in city.processes if process.lives]
    victim = dice.choice(living)
    victim.kill()
    assert await victim.ended() == -signal.SIGKILL
    if again:
        await city.started()
    return time.monotonic()


def _toll(city: City, commands: int, kills: int, seconds: tuple[float, float]) -> Toll:
    outcomes = city.sql("SELECT outcome, count(*) FROM runs GROUP BY outcome")
    ((attempts,),) = city.sql("SELECT max(attempts) FROM runs")
    messages = city.posted()
    assert all(message["channel"] == CHANNEL for message in messages)
    return Toll(
        commands=commands,
        kills=kills,
        final=sum(is_final(message) for message in messages),
        seconds=seconds[0],
        in_all=seconds[1],
        outcomes={str(outcome): int(number) for outcome, number in outcomes},
        doubled=doubled(city.tenant.ledger),
        unfinished=city.unfinished(),
        stale=len(messages) - commands,
        attempts=int(attempts),
    )


def doubled(ledger: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the creations and the additions of members that took effect more often than once."""
    seen: Counter[str] = Counter()
    for write in (write for write in ledger if write["applied"]):
        body = write["body"] or {}
        if write["method"] == "POST" and write["path"].endswith("/users"):
            seen[f"user {body.get('onPremisesImmutableId')}"] += 1
        elif "uniqueName=" in write["path"]:
            seen[f"group {write['path']} {body.get('displayName')}"] += 1
        for member in body.get("members@odata.bind", ()):
            seen[f"{write['path']} {member}"] += 1
    return [name for name, number in seen.items() if number > 1]
