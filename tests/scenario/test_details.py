"""The details as people use them, through the whole bot: searched, looked into, copied, pressed twice."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

from bot.demo import people, run_once
from pipeline.model import StageName
from tests.fixtures.scene import Scene, read
from tests.unit.views.payloads import assert_modal_fits

MARIA = "U0MARIA"


async def _turned(scene: Scene, seen: str) -> dict[str, Any]:
    """Wait for the topmost view to be another one, or in another state, and return it."""
    workspace = scene.world.workspace
    await workspace.until(lambda: workspace.views(MARIA)[-1]["hash"] != seen, within=20)
    view: dict[str, Any] = workspace.views(MARIA)[-1]
    return view


async def test_the_import_is_searched(scene: Scene) -> None:
    """What is typed narrows the attributes in place; clearing brings all of them back."""
    message = await scene.provision(scene.people["create"])
    first = await scene.details(message, StageName.IMPORT)
    await scene.world.workspace.submit(MARIA, values={"search": "lovelace"})
    found = await _turned(scene, first["hash"])
    assert "Lovelace" in read(found)
    assert "userAccountControl" not in read(found)
    await scene.world.workspace.click(MARIA, "clear_search", view=found["id"])
    assert read(await _turned(scene, found["hash"])) == read(first)
    assert scene.problems() == []


async def test_from_a_change_to_the_branch_that_was_taken(scene: Scene) -> None:
    """Why opens the mapping and its evaluation on top of the rows; Back is back at the rows."""
    message = await scene.provision(f"preview {scene.people['create']}")
    rows = await scene.details(message, StageName.ACTION)
    await scene.world.workspace.click(MARIA, "Why", view=rows["id"], beside="displayName")
    top = await _turned(scene, rows["hash"])
    assert "IIF(IsNullOrEmpty([displayName]), [cn], [displayName])" in read(top)
    assert "✔ taken: [displayName]" in read(top)
    assert "✘ not taken: [cn]" in read(top)
    assert len(scene.world.workspace.views(MARIA)) == 2
    await scene.world.workspace.close(MARIA)
    (below,) = scene.world.workspace.views(MARIA)
    assert below["hash"] == rows["hash"]
    assert scene.problems() == []


async def test_the_details_are_copied_as_text(scene: Scene) -> None:
    """All rows of all pages stand in one text."""
    message = await scene.provision(scene.people["group-40"])
    rows = await scene.details(message, StageName.ACTION)
    await scene.world.workspace.click(MARIA, "copy_text", view=rows["id"])
    text = read(await _turned(scene, rows["hash"]))
    assert text.count("CN=") >= 40
    assert scene.problems() == []


async def test_two_clicks_open_one_view(scene: Scene) -> None:
    """Whoever presses twice sees one view, and one Back leads to the rows."""
    message = await scene.provision(scene.people["create"])
    workspace = scene.world.workspace
    await asyncio.gather(*(workspace.click(MARIA, "details_import", message=message["ts"]) for _ in range(3)))
    await workspace.until(lambda: bool(workspace.views(MARIA)), within=20)
    (rows,) = workspace.views(MARIA)
    await asyncio.gather(*(workspace.click(MARIA, "copy_text", view=rows["id"]) for _ in range(3)))
    await workspace.until(lambda: len(workspace.views(MARIA)) > 1, within=20)
    await asyncio.sleep(0.2)
    assert len(workspace.views(MARIA)) == 2


async def test_a_late_answer_is_told(scene: Scene) -> None:
    """Where Slack no longer opens the modal, who clicked reads why and what to do, and nobody else does."""
    message = await scene.provision(scene.people["create"])
    workspace = scene.world.workspace
    workspace.add_faults([{"method": "views.open", "times": 1, "then": {"error": "expired_trigger_id"}}])
    await workspace.click(MARIA, "details_import", message=message["ts"])
    await workspace.until(lambda: bool(scene.told(MARIA)), within=20)
    assert "Press it again" in read(scene.told(MARIA)[-1])
    rows = await scene.details(message, StageName.IMPORT)
    workspace.add_faults([{"method": "views.push", "times": 1, "then": {"error": "expired_trigger_id"}}])
    await workspace.click(MARIA, "copy_text", view=rows["id"])
    told = await _turned(scene, rows["hash"])
    assert "Press it again" in read(told)
    assert set(read(rows).split("\n")) < set(read(told).split("\n"))


async def test_the_demo_presses_all_there_is_to_press(tmp_path: Path) -> None:
    """One command writes every payload of a run and of all that opens from its message, each in bounds."""
    path = tmp_path / "calls.jsonl"
    update = next(person["identifier"] for person in people() if person["case"] == "update-three")
    await run_once(update, path, quiet=True)
    calls = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    views = [call["payload"]["view"] for call in calls if call["method"].startswith("views.")]
    titles = Counter(view["title"]["text"] for view in views)

    assert {f"{stage} details" for stage in ("Import", "Scope", "Match", "Action")} < set(titles)
    assert titles["Attribute"] > 3
    assert titles["Copy as text"] == 5  # one a stage, and of the import's second page
    assert titles["Action details"] >= 3  # as it opens, what changes alone, and everything again
    for view in views:
        assert_modal_fits(view)
