"""The whole population of contoso, previewed: whoever is not meant to differ does not."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from bot.demo import people
from bot.wiring import Silence
from pipeline import Request, Run, preview
from pipeline.ids import ActorId, new_run_id
from pipeline.model import Mode, Outcome
from sandbox.people import directory_entries
from tests.fixtures.scene import scene_with

INTERESTING = {person["identifier"] for person in people()}
ABSENT = "CN=Charles Babbage"
"""The manager of `manager-missing`: not in Entra ID, and that is his part."""


async def test_only_those_who_are_meant_to_differ_do(tmp_path: Path) -> None:
    """Hundreds of users and groups come out unchanged, out of scope or refused, and in no other way."""
    names = [
        entry.dn
        for entry in directory_entries()
        if {b"user", b"group"} & set(entry.attributes["objectClass"])
        and b"computer" not in entry.attributes["objectClass"]
        and b"TRUE" not in entry.attributes.get("isDeleted", ())
        and entry.dn not in INTERESTING
    ]
    async with scene_with({}, tmp_path) as scene:
        services = scene.world.bot.systems.services(Silence())
        at_once = asyncio.Semaphore(4)

        async def look(dn: str) -> Run:
            async with at_once:
                request = Request(new_run_id(), Mode.PREVIEW, dn, ActorId("cli:test"))
                return await preview(request, services)

        runs = await asyncio.gather(*(look(dn) for dn in names))
    outcomes = Counter(run.outcome for run in runs)
    surprising = [
        (run.identifier, str(run.outcome), run.error and run.error.message)
        for run in runs
        if run.outcome not in {Outcome.UNCHANGED, Outcome.SKIPPED, Outcome.REFUSED}
        and not run.identifier.startswith(ABSENT)
    ]

    assert surprising == []
    assert outcomes[Outcome.UNCHANGED] > 250
    assert outcomes[Outcome.FAILED] == 0
