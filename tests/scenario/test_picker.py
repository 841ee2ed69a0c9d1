"""The form that opens without an identifier: find by name, choose, start."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from bot.demo import CHANNEL
from bot.listeners.picker import SEARCH_S
from bot.views import picker as form
from pipeline.model import Outcome
from sandbox.directory.faults import FaultKind
from tests.fixtures.scene import Scene, scene_with

ADA = "Ada Lovelace"
SAMPLE = Path(__file__).parents[2] / "configurations" / "contoso.yaml"


async def opened(
    scene: Scene, text: str = "", user: str = "U0MARIA", channel: str = CHANNEL
) -> dict[str, Any]:
    """Type the command without an object and return the form that opens."""
    await scene.type(text, user, channel)
    workspace = scene.world.workspace
    await workspace.until(lambda: bool(workspace.views(user)), within=20)
    view: dict[str, Any] = workspace.views(user)[-1]
    return view


async def found(scene: Scene, typed: str, user: str = "U0MARIA") -> dict[str, str]:
    """Type into the form's search and return the options, text to value."""
    answer = await scene.world.workspace.suggest(user, form.OBJECT, typed)
    assert answer["ok"], answer
    return {option["text"]["text"]: option["value"] for option in answer["options"]}


async def pick(scene: Scene, user: str = "U0MARIA", mode: str = "Preview", **more: str) -> dict[str, Any]:
    """Choose Ada in the form and submit it."""
    await found(scene, "Ada Lo", user)
    values = {form.OBJECT: ADA, form.MODE: mode, **more}
    answer: dict[str, Any] = await scene.world.workspace.submit(user, values=values)
    return answer


async def test_nothing_typed_opens_the_form_and_starts_a_run(scene: Scene) -> None:
    """Find by the beginning of a name, choose, start: the run is in the channel of the command."""
    view = await opened(scene)
    answer = await pick(scene)
    await scene.world.workspace.until(lambda: bool(scene.ended()), within=20)
    run = await scene.last_run()

    assert answer["ok"]
    assert view["title"]["text"] == "Find an object"
    assert scene.world.workspace.views("U0MARIA") == []
    assert run.outcome is Outcome.WOULD_CREATE
    assert run.object is not None
    assert run.object.dn == scene.people["create"]
    assert scene.problems() == []


async def test_the_form_provisions_where_that_is_chosen(scene: Scene) -> None:
    """Provision in the form is what the command would do."""
    await opened(scene)
    await pick(scene, mode="Provision")
    await scene.world.workspace.until(lambda: bool(scene.ended()), within=20)

    assert (await scene.last_run()).outcome is Outcome.CREATED


async def test_users_and_groups_are_told_apart(scene: Scene) -> None:
    """Options stand under headings, by objectGUID, each with what tells it from its namesakes."""
    await opened(scene)
    answer = await scene.world.workspace.suggest("U0MARIA", form.OBJECT, "ap")
    labels = [group["label"]["text"] for group in answer["option_groups"]]
    options = [option for group in answer["option_groups"] for option in group["options"]]

    assert "Groups" in labels
    assert all(len(option["value"]) == 36 for option in options)
    assert all(
        "@" in option["description"]["text"] or "·" in option["description"]["text"] for option in options
    )


async def test_awkward_names_can_be_chosen(scene: Scene) -> None:
    """Whatever people are called: the options hold Slack's limits and show the names as they are."""
    await opened(scene)
    names = await found(scene, "<!ch")
    more = await found(scene, "عب") | await found(scene, "山田")

    assert len(names) == 1
    assert len(more) == 2


RIGHTS = [
    ("U0MARIA", ["preview", "provision"], "she may do both"),
    ("U0HENRY", ["preview"], "he may preview"),
]


@pytest.mark.parametrize(("user", "modes", "reason"), RIGHTS, ids=[row[2] for row in RIGHTS])
async def test_the_form_offers_what_the_person_may_do(
    scene: Scene, user: str, modes: list[str], reason: str
) -> None:
    """Nobody is offered what they would be refused."""
    view = await opened(scene, "", user)
    (radio,) = [b["element"] for b in view["blocks"] if b.get("block_id") == form.MODE]

    assert [option["value"] for option in radio["options"]] == modes, reason
    assert radio["initial_option"]["value"] == "preview", "nothing is written by a choice that nobody made"


@pytest.mark.parametrize("user", ["U0VERA", "U0STELLA"])
async def test_who_may_not_preview_gets_no_form(scene: Scene, user: str) -> None:
    """They are told whom to ask, and nothing of the directory."""
    answer = await scene.type("", user)

    assert "may not" in answer["ack"]["body"]["text"]
    assert scene.world.workspace.views(user) == []


async def test_rights_are_asked_again_at_each_step(scene: Scene) -> None:
    """The form of one person, used with the rights of another: no options, and nothing starts."""
    await opened(scene)
    await found(scene, "Ada Lo")
    workspace = scene.world.workspace
    (view,) = workspace.views("U0MARIA")
    sent = next(d for d in workspace.dispatches() if d["type"] == "block_suggestion")["payload"]
    forged = json.loads(json.dumps(sent))
    forged["user"]["id"] = "U0STELLA"
    answer = await workspace._people._dispatch("interactive", forged, answers=True)
    assert answer["ack"]["body"] == {"options": []}

    value = {"text": {"type": "plain_text", "text": ADA}, "value": "6f9619ff-8b86-d011-b42d-00cf4fc964ff"}
    forged |= {
        "type": "view_submission",
        "view": {
            **view,
            "state": {
                "values": {
                    form.OBJECT: {form.OBJECT: {"selected_option": value}},
                    form.MODE: {form.MODE: {"selected_option": {"value": "provision"}}},
                }
            },
        },
    }
    for user, words in (("U0STELLA", "no right to provision"), ("U0HENRY", "no right to provision")):
        forged["user"]["id"] = user
        answer = await workspace._people._dispatch("interactive", forged, answers=True)
        body = answer["ack"]["body"]
        assert body["response_action"] == "errors", user
        assert words in body["errors"][form.MODE]
    await asyncio.sleep(0.2)
    assert await scene.world.bot.systems.store.history(limit=1) == []


async def test_a_slow_directory_gives_no_options_in_time(scene: Scene) -> None:
    """Slack waits three seconds for the options: an empty list comes before that, and no error."""
    await opened(scene)
    scene.world.directory.faults.add(FaultKind.DELAY, seconds=30.0)
    answer = await scene.world.workspace.suggest("U0MARIA", form.OBJECT, "Ada Lo")

    assert answer["options"] == []
    assert SEARCH_S < 3
    assert answer["ack"]["ms"] < (SEARCH_S + 10) * 1000


async def test_a_directory_that_is_away_gives_no_options(scene: Scene) -> None:
    """The same where there is none at all."""
    await opened(scene)
    await scene.world.directory.stop()
    answer = await scene.world.workspace.suggest("U0MARIA", form.OBJECT, "Ada Lo")

    assert answer["options"] == []


async def test_trouble_with_a_submission_is_told_in_its_place(scene: Scene) -> None:
    """The request could not be stored: the form turns into a sentence with a support id, and nothing runs."""
    await opened(scene)
    await found(scene, "Ada Lo")
    await scene.world.bot.systems.store.close()
    await scene.world.workspace.submit("U0MARIA", values={form.OBJECT: ADA, form.MODE: "Preview"})
    (view,) = scene.world.workspace.views("U0MARIA")

    assert "Support id" in json.dumps(view["blocks"])
    assert scene.posted() == []
    assert scene.problems() == []


async def test_in_a_private_channel_the_end_comes_back_to_it(scene: Scene) -> None:
    """Where the bot is no member the form still knows the way back."""
    await opened(scene, channel="C0PRIVATE")
    await pick(scene)
    await scene.world.workspace.until(lambda: bool(scene.ended("C0PRIVATE")), within=20)

    assert ADA in json.dumps(scene.ended("C0PRIVATE")[0]["blocks"])


async def test_a_form_that_slack_does_not_open_is_told(scene: Scene) -> None:
    """The trigger was too old: who typed the command reads what to do instead."""
    fault = {"method": "views.open", "times": 1, "then": {"error": "expired_trigger_id"}}
    scene.world.workspace.add_faults([fault])
    await scene.type("")
    await scene.world.workspace.until(lambda: bool(scene.told("U0MARIA")), within=20)

    assert "could not be opened" in scene.told("U0MARIA")[0]["text"]


async def test_what_starts_with_the_form_is_written_nowhere_while_writing_is_off(tmp_path: Path) -> None:
    """Writing is switched off: provisioning is not offered, and the form says why."""
    async with scene_with({"FOURCHECK_ENTRA__WRITES": "off"}, tmp_path) as scene:
        view = await opened(scene)

        assert "provision" not in json.dumps(view["blocks"][1])
        assert "switched off" in json.dumps(view["blocks"])


async def test_only_what_a_configuration_covers_is_offered(tmp_path: Path) -> None:
    """Two configurations: who may use one of them finds the objects of that one alone."""
    folder = tmp_path / "rules"
    folder.mkdir()
    text = SAMPLE.read_text(encoding="utf-8")
    (folder / "contoso.yaml").write_text(text, encoding="utf-8")
    narrow = text.replace("name: contoso", "name: zurich", 1).replace("default: true", "default: false", 1)
    base = "base: OU=Zürich,OU=Europe,OU=Corp,OU=Contoso,DC=contoso,DC=test"
    narrow = narrow.replace("base: DC=contoso,DC=test", base, 1).replace(
        "T0CONTOSO/U0HENRY", "T0CONTOSO/U0VERA"
    )
    (folder / "zurich.yaml").write_text(narrow, encoding="utf-8")
    async with scene_with({"FOURCHECK_CONFIGURATIONS": str(folder)}, tmp_path) as scene:
        view = await opened(scene, "preview", "U0VERA")
        assert form.CONFIGURATION not in json.dumps(view)
        assert await found(scene, "Ada Lo", "U0VERA") == {}
        assert len(await found(scene, "<!ch", "U0VERA")) == 1
        await opened(scene, "preview", "U0HENRY")
        assert await found(scene, "<!ch", "U0HENRY") == {}
        assert ADA in await found(scene, "Ada Lo", "U0HENRY")

        view = await opened(scene, "preview with zurich")
        assert form.CONFIGURATION in json.dumps(view)
        assert await found(scene, "Ada Lo") == {}
        await scene.world.workspace.click("U0MARIA", form.CONFIGURATION, view=view["id"], value=form.BY_PLACE)
        assert ADA in await found(scene, "Ada Lo")
