"""A real domain controller that is killed in the middle of a run costs that run at most."""

from __future__ import annotations

import asyncio
import time

import pytest

from bot.wiring import Silence
from pipeline import Request, Run, preview
from pipeline.ids import ActorId, new_run_id
from pipeline.model import Mode, Outcome
from sandbox.people import interesting_people
from tests.fixtures.samba.domain_controller import SambaDomainController
from tests.fixtures.scene import Scene

pytestmark = [pytest.mark.xdist_group("samba"), pytest.mark.timeout(300)]

CASES = {one.case: one.identifier for one in interesting_people()}


async def test_the_next_import_works(samba_scene: Scene, samba: SambaDomainController) -> None:
    """SIGKILL while runs are under way: each ends, said to be unreachable or done; afterwards all is well."""
    services = samba_scene.world.bot.systems.services(Silence())

    async def look(case: str) -> Run:
        request = Request(new_run_id(), Mode.PREVIEW, CASES[case], ActorId("cli:test"))
        return await preview(request, services)

    assert (await look("create")).outcome is Outcome.WOULD_CREATE
    try:
        under_way = [asyncio.create_task(look("group-40")) for _ in range(4)]
        await asyncio.sleep(0.05)  # so that some are in the midst of it
        await asyncio.to_thread(samba.kill)
        began = time.monotonic()
        runs = await asyncio.gather(*under_way)
        assert time.monotonic() - began < 20
        assert {run.outcome for run in runs} <= {Outcome.WOULD_CREATE, Outcome.FAILED}
        down = await look("create")
        assert down.outcome is Outcome.FAILED
        assert down.error is not None
        assert (down.error.code, down.error.retry_helps) == ("directory_unreachable", True)
    finally:
        await asyncio.to_thread(samba.start)
    assert (await look("create")).outcome is Outcome.WOULD_CREATE
    assert (await look("group-40")).outcome is Outcome.WOULD_CREATE
