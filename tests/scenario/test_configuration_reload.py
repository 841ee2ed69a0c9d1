"""Configurations change while the bot runs: good ones come into force, broken ones are told, not obeyed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pipeline.configuration.keeper import ConfigurationKeeper
from tests.fixtures.scene import Scene, read, scene_with

SAMPLE = Path(__file__).parents[2] / "configurations" / "contoso.yaml"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """Give a copy of the sample that may be changed."""
    folder = tmp_path / "rules"
    folder.mkdir()
    path = folder / "contoso.yaml"
    path.write_text(SAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    return path


@pytest.fixture
async def scene(rules: Path, tmp_path: Path) -> AsyncIterator[Scene]:
    """Run contoso on the copy."""
    async with scene_with({"FOURCHECK_CONFIGURATIONS": str(rules.parent)}, tmp_path) as found:
        yield found


def edit(path: Path, old: str, new: str) -> int:
    """Replace a piece of a file; return the line in which it stands."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def keeper(scene: Scene) -> ConfigurationKeeper:
    """Return what keeps the running bot's configurations."""
    return scene.world.bot.systems.configurations


async def until(scene: Scene, *, troubled: bool, digest_other_than: str = "") -> None:
    """Wait for the bot to have noticed, at its own pace."""
    for _ in range(1000):
        same = keeper(scene).all[0].digest == digest_other_than
        if (keeper(scene).trouble is not None) is troubled and not same:
            return
        await asyncio.sleep(0.01)
    pytest.fail("the bot has not noticed")


async def ready(scene: Scene) -> tuple[int, dict[str, Any]]:
    """Ask whether the bot is ready."""
    url = f"http://127.0.0.1:{scene.world.bot.port}/readyz"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, json.loads(await response.text())


async def test_an_edited_rule_is_in_the_next_run(scene: Scene, rules: Path) -> None:
    """Nobody restarts anything: the next run is stamped with the new digest and obeys the new rule."""
    before = keeper(scene).all[0].digest
    edit(rules, '"Trim([title])"', '"ToUpper([title])"')
    await until(scene, troubled=False, digest_other_than=before)
    await scene.provision(f"preview {scene.people['create']}")
    run = await scene.last_run()

    assert run.configuration_digest == keeper(scene).all[0].digest
    assert run.configuration_digest != before
    assert run.plan is not None
    title = next(change for change in run.plan.changes if change.attribute == "jobTitle")
    assert str(title.after).isupper()


async def test_a_broken_rule_is_told_and_changes_nothing(scene: Scene, rules: Path) -> None:
    """The bot goes on with the last good rules, is ready, and every message names file, line and fault."""
    digest = keeper(scene).all[0].digest
    line = edit(rules, '"Trim([title])"', '"Trimm([title])"')
    await until(scene, troubled=True)
    message = await scene.provision(f"preview {scene.people['create']}")
    run = await scene.last_run()
    status, body = await ready(scene)

    assert run.configuration_digest == digest
    assert f"contoso.yaml: line {line}" in read(message)
    assert "Trimm" in read(message)
    assert status == 200
    assert f"line {line}" in body["notes"][0]

    edit(rules, "Trimm(", "Trim(")
    await until(scene, troubled=False)
    assert "notes" not in (await ready(scene))[1]
    assert "contoso.yaml" not in read(await scene.provision(f"preview {scene.people['create']}"))
