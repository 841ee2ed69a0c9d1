"""What happened: by command, by button, on the command line; only what the person may look at."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from bot.cli import main
from bot.views.history import ROWS_A_PAGE, Where
from pipeline.runs.history import page, question
from pipeline.runs.migrations import migrate
from tests.contract.runs.earlier import scripts_until
from tests.fixtures.scene import Scene, read, scene_with

SAMPLE = Path(__file__).parents[2] / "configurations" / "contoso.yaml"


async def history(scene: Scene, text: str = "history", user: str = "U0MARIA") -> dict[str, Any]:
    """Ask what happened and return the answer."""
    answer = await scene.type(text, user)
    body: dict[str, Any] = answer["ack"]["body"]
    return body


async def test_the_history_tells_who_when_and_how_it_ended(scene: Scene) -> None:
    """For the eyes of whoever asks, newest first, each run with a way in; nothing in the channel."""
    await scene.provision(f"preview {scene.people['create']}", "U0HENRY")
    await scene.provision(scene.people["create"])
    await scene.provision(scene.people["unchanged"])
    shown = await history(scene)
    of_ada = await history(scene, f"history {scene.people['create']}")

    assert [line in read(shown) for line in ("Up to date", "Created", "Would be created")] == [True] * 3
    assert read(shown).index("Up to date") < read(shown).index("Created")
    assert "U0HENRY" in read(of_ada)
    assert "configuration contoso" in read(of_ada)
    assert "History of Ada Lovelace" in of_ada["text"]
    assert "Up to date" not in read(of_ada)
    assert len(scene.ended()) == 3
    assert scene.problems() == []


async def test_a_run_of_the_history_opens(scene: Scene) -> None:
    """Open leads to the run with its stages, and from there to the details of one."""
    await scene.provision(scene.people["create"])
    await history(scene)
    workspace = scene.world.workspace
    told = scene.told("U0MARIA")[-1]
    await workspace.click("U0MARIA", "open_run", message=told["ts"])
    await workspace.until(lambda: len(workspace.views("U0MARIA")) == 1, within=20)
    await workspace.click("U0MARIA", "details_scope", view=workspace.views("U0MARIA")[-1]["id"])
    await workspace.until(lambda: len(workspace.views("U0MARIA")) == 2, within=20)

    assert "Full-time staff" in read(workspace.views("U0MARIA")[-1])


async def test_two_clicks_on_open_are_one_view_and_a_late_one_is_told(scene: Scene) -> None:
    """A double click opens one view; a click that Slack finds too late says so where it was made."""
    await scene.provision(scene.people["create"])
    await history(scene)
    workspace = scene.world.workspace
    told = scene.told("U0MARIA")[-1]
    workspace.add_faults([{"method": "views.open", "times": 1, "then": {"error": "expired_trigger_id"}}])
    await workspace.click("U0MARIA", "open_run", message=told["ts"])
    await workspace.until(lambda: "Press it again" in json.dumps(scene.told("U0MARIA")), within=20)
    await asyncio.gather(*(workspace.click("U0MARIA", "open_run", message=told["ts"]) for _ in range(2)))
    await workspace.until(lambda: bool(workspace.views("U0MARIA")), within=20)
    (run,) = workspace.views("U0MARIA")
    await asyncio.gather(*(workspace.click("U0MARIA", "history", view=run["id"]) for _ in range(2)))
    await workspace.until(lambda: len(workspace.views("U0MARIA")) >= 2, within=20)
    await asyncio.sleep(0.2)

    assert len(workspace.views("U0MARIA")) == 2


async def test_a_run_is_started_again_from_the_history(scene: Scene) -> None:
    """Its message is in the channel where the history was asked for; the modal says so."""
    await scene.provision(scene.people["unchanged"])
    await history(scene)
    workspace = scene.world.workspace
    await workspace.click("U0MARIA", "open_run", message=scene.told("U0MARIA")[-1]["ts"])
    await workspace.until(lambda: len(workspace.views("U0MARIA")) == 1, within=20)
    (view,) = workspace.views("U0MARIA")
    await workspace.click("U0MARIA", "run_again", view=view["id"])
    await workspace.until(lambda: len(scene.ended()) == 2, within=20)
    await workspace.until(lambda: "started" in read(workspace.views("U0MARIA")[-1]), within=20)

    assert "<#C0IDENTITY>" in json.dumps(workspace.views("U0MARIA")[-1]["blocks"])


async def test_an_object_is_found_by_other_names_than_it_was_asked_by(scene: Scene) -> None:
    """The history of a person does not depend on what was typed: the directory tells who is meant."""
    await scene.provision(scene.people["create"])
    run = await scene.last_run()
    assert run.object is not None
    spaced = run.object.dn.lower().replace(",", " , ")
    for name in (spaced, run.object.guid, f"{{{run.object.guid.upper()}}}"):
        assert "Created" in read(await history(scene, f"history {name}")), name
    by_upn = run.plan and next(c.after for c in run.plan.changes if c.attribute == "userPrincipalName")

    assert "Created" in read(await history(scene, f"history {by_upn}"))


async def test_pages_turn(scene: Scene) -> None:
    """More runs than a page holds: Older and Newer lead through all of them, in the same place."""
    people = [dn for case, dn in scene.people.items() if case.startswith("awkward")][:10]
    await scene.provision("preview " + "\n".join(people))
    await history(scene)
    workspace = scene.world.workspace
    told = scene.told("U0MARIA")[-1]
    first = read(told)
    await workspace.click("U0MARIA", "Older", message=told["ts"])
    await workspace.until(lambda: read(scene.told("U0MARIA")[-1]) != first, within=20)
    second = read(scene.told("U0MARIA")[-1])
    await workspace.click("U0MARIA", "Newer", message=told["ts"])
    await workspace.until(lambda: read(scene.told("U0MARIA")[-1]) == first, within=20)

    assert second.count("[Open]") == 10 - ROWS_A_PAGE
    assert "Older" not in second
    assert scene.problems() == []


LOOKERS = [
    ("U0VERA", True, "she may look"),
    ("U0STELLA", False, "she may not"),
]


@pytest.mark.parametrize(("user", "may", "reason"), LOOKERS, ids=[row[2] for row in LOOKERS])
async def test_only_who_may_look_sees_what_happened(
    scene: Scene, user: str, *, may: bool, reason: str
) -> None:
    """Without the right to look there is no history, neither of all nor of an object one knows."""
    await scene.provision(scene.people["create"])
    for text in ("history", f"history {scene.people['create']}"):
        shown = await history(scene, text, user)
        assert ("Ada Lovelace was created" in shown["text"]) is may, reason
        assert ("may not" in shown["text"]) is not may


async def test_runs_of_a_configuration_that_one_may_not_look_at_are_not_there(tmp_path: Path) -> None:
    """Two configurations: the history holds the runs of those that grant the right, and no others."""
    folder = tmp_path / "rules"
    folder.mkdir()
    text = SAMPLE.read_text(encoding="utf-8")
    (folder / "contoso.yaml").write_text(text, encoding="utf-8")
    other = text.replace("name: contoso", "name: other", 1).replace("default: true", "default: false", 1)
    (folder / "other.yaml").write_text(other.replace("T0CONTOSO/U0VERA", "T0CONTOSO/U0STELLA"), "utf-8")
    async with scene_with({"FOURCHECK_CONFIGURATIONS": str(folder)}, tmp_path) as scene:
        await scene.provision(f"preview {scene.people['create']} with contoso")
        await scene.provision(f"preview {scene.people['unchanged']} with other")

        assert "Katherine" not in (await history(scene, "history", "U0VERA"))["text"]
        assert "Ada" not in (await history(scene, "history", "U0STELLA"))["text"]
        both = await history(scene)
        assert "Katherine" in both["text"]
        assert "Ada" in both["text"]
        assert "Ada" not in (await history(scene, "history with other"))["text"]


async def test_the_command_line_tells_beside_a_running_bot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a guest of the store: in words, or as JSON; by any name the object was asked by."""
    async with scene_with({}, tmp_path) as scene:
        await scene.provision(scene.people["create"])
        await scene.provision(scene.people["unchanged"])
        store = scene.world.bot.systems.store
        assert len((await page(store, question(scene.people["create"]))).runs) == 1
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("FOURCHECK_STORE__URL", f"sqlite:///{tmp_path}/demo.db")
        assert await asyncio.to_thread(main, ["history"]) == 0
        words = capsys.readouterr().out
        assert await asyncio.to_thread(main, ["history", scene.people["create"], "--json"]) == 0
        runs = json.loads(capsys.readouterr().out)
        assert await asyncio.to_thread(main, ["history", "--limit", "1"]) == 0
        cut = capsys.readouterr().out

    assert words.splitlines()[0].count("Katherine") == 1
    assert [run["outcome"] for run in runs] == ["created"]
    assert "older" in cut


@pytest.mark.parametrize("command", [["history"], ["preview", "ada.lovelace"], ["doctor"]], ids=" ".join)
def test_no_command_line_brings_a_store_up_to_date(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
) -> None:
    """A store of an earlier version is left alone, for its bot may be running; it is said who does it."""
    path = tmp_path / "demo.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrate(connection, scripts_until("0001", tmp_path / "scripts"), "0001")
    engine.dispose()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOURCHECK_STORE__URL", f"sqlite:///{path}")
    monkeypatch.setenv("FOURCHECK_CONFIGURATIONS", str(SAMPLE.parent))
    status = main(command)

    with closing(sqlite3.connect(path)) as store:
        assert store.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
    if command != ["doctor"]:  # it looks on without the newest run
        assert status == 3
        assert "fourcheck serve" in capsys.readouterr().err


def test_a_page_of_the_history_is_read_back_and_nothing_else_is() -> None:
    """A button's value comes back as it was written; anything else is refused."""
    where = Where("CN=Ada", 16, "contoso")
    assert Where.decode(where.encode()) == where
    for value in ("", "[]", "{}", '{"of": "x", "start": -1}', '{"of": "x", "start": true}', "[" * 9000):
        with pytest.raises(ValueError, match=r".*"):
            Where.decode(value)
