"""Health from outside: numbers for Prometheus, and log lines that say which run they are about."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.logs import set_up_logs
from tests.fixtures.scene import Scene, scene_with


async def numbers(scene: Scene) -> dict[str, float]:
    """Return the bot's numbers, labels and all, read by Prometheus's own parser."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{scene.world.bot.port}/metrics") as answer,
    ):
        assert answer.status == 200
        text = await answer.text()
    return {
        sample.name + "".join(f",{value}" for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_runs_and_stages_are_counted(tmp_path: Path) -> None:
    """Runs by outcome, how long stages took, what waits and what is under way; and nobody's name."""
    async with scene_with({}, tmp_path) as scene:
        await scene.provision(scene.people["create"])
        await scene.provision(f"preview {scene.people['scope-ou']}")
        found = await numbers(scene)

        assert found["fourcheck_runs_total,provision,created"] == 1
        assert found["fourcheck_runs_total,preview,skipped"] == 1
        assert found["fourcheck_stage_seconds_count,action,passed"] == 1
        assert found["fourcheck_stage_seconds_sum,action,passed"] > 0
        assert found["fourcheck_audit_failures_total"] == 0
        assert (found["fourcheck_runs_queued"], found["fourcheck_runs_in_flight"]) == (0, 0)
        assert not any("Ada" in name or "MARIA" in name for name in found)


async def test_throttling_is_counted(tmp_path: Path) -> None:
    """Microsoft Graph asks to slow down: a retry, a throttle and the time waited."""
    async with scene_with({}, tmp_path) as scene:
        slow = {"status": 429, "headers": {"Retry-After": "1"}}
        scene.world.tenant.inject(
            {"match": {"path_regex": "/users$", "method": "POST"}, "times": 1, "then": slow}
        )
        await scene.provision(scene.people["create"])
        found = await numbers(scene)

        assert found["fourcheck_graph_retries_total"] >= 1
        assert found["fourcheck_graph_waited_seconds_total"] >= 1
        assert found["fourcheck_graph_throttled_total"] == 1


async def test_each_line_of_a_run_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever part of the bot writes a line while a run is executed, the run's id is in it."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", root.handlers)
    monkeypatch.setattr(root, "level", root.level)
    async with scene_with({}, tmp_path) as scene:
        set_up_logs(logging.INFO)
        scene.world.tenant.inject({"match": {"path_regex": "batch"}, "times": 1, "then": {"status": 503}})
        await scene.provision(scene.people["create"])
        run = await scene.last_run()
        await asyncio.sleep(0)
    lines = [line for line in capsys.readouterr().err.splitlines() if "Microsoft Graph" in line]

    assert lines
    assert all(f"run={run.run_id}" in line for line in lines)
