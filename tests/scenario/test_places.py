"""Where runs are shown, and what people are told when Slack or a click is in the way."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.views import notices
from pipeline.model import Outcome, StageName, StageStatus
from tests.fixtures.scene import QUICK, Scene, read, scene_with

SAMPLE = Path(__file__).parents[2] / "configurations" / "contoso.yaml"
UNCHANGED = "Katherine"

one_transport = pytest.mark.parametrize("scene", ["socket"], indirect=True)
"""For what does not depend on how Slack reaches the bot."""

OPEN_PLACES = [
    ("C0GENERAL", "a public channel that the bot has not joined"),
    ("D0MARIA", "a direct message with the bot"),
]


@pytest.mark.parametrize(("channel", "reason"), OPEN_PLACES, ids=[row[1] for row in OPEN_PLACES])
async def test_the_message_is_followed_in_place(scene: Scene, channel: str, reason: str) -> None:
    """One message, updated in place, without any hint."""
    message = await scene.provision(scene.people["unchanged"], channel=channel)

    assert UNCHANGED in read(message), reason
    assert len(scene.posted(channel)) == 1
    assert scene.told("U0MARIA", channel) == []


async def test_between_two_people_the_end_comes_once(scene: Scene) -> None:
    """A direct message that the bot is no part of: the end by the response URL, to both of them."""
    message = await scene.provision(scene.people["unchanged"], channel="D0MARIAADAM")

    assert UNCHANGED in read(message)
    assert len(scene.posted("D0MARIAADAM")) == 1


ELSEWHERE = [
    ("is_archived", "archived", "archived while the run began"),
    ("restricted_action_read_only_channel", "only some members", "a channel in which few may post"),
    ("ekm_access_denied", "key management", "locked by the organisation"),
    ("token_revoked", "token", "the bot's token is no longer good"),
]


@one_transport
@pytest.mark.parametrize(("error", "words", "reason"), ELSEWHERE, ids=[row[2] for row in ELSEWHERE])
async def test_where_the_bot_cannot_post_the_end_comes_once(
    scene: Scene, error: str, words: str, reason: str
) -> None:
    """The end by the response URL, and a sentence for whoever asked that says why and what to do."""
    fault = {"method": "chat.postMessage", "times": 9, "then": {"error": error}}
    scene.world.workspace.add_faults([fault])
    message = await scene.provision(scene.people["unchanged"])
    await scene.world.workspace.until(lambda: bool(scene.told("U0MARIA")), within=20)

    assert UNCHANGED in read(message), reason
    assert words in scene.told("U0MARIA")[0]["text"]
    assert len(scene.posted()) == 1


@one_transport
async def test_what_is_revoked_on_the_way_still_has_an_end(scene: Scene) -> None:
    """The first state was posted, then the token went: the end comes by the response URL."""
    fault = {"method": "chat.update", "times": 9, "then": {"error": "account_inactive"}}
    scene.world.workspace.add_faults([fault])
    scene.world.tenant.inject({"match": {"path_regex": "batch"}, "then": {"delay_s": 0.5}})
    message = await scene.provision(scene.people["unchanged"])

    assert UNCHANGED in read(message)


@one_transport
async def test_rights_need_no_user_groups(scene: Scene) -> None:
    """On a free plan there are none: rights are by person, and Slack is never asked who is in a group."""
    await scene.provision(scene.people["unchanged"])
    methods = {call["method"] for call in scene.world.workspace.calls()}

    assert not any(method.startswith("usergroups") for method in methods)


@pytest.mark.parametrize("error", ["is_archived", "restricted_action", "missing_scope", "unheard_of"])
def test_each_refusal_of_slack_is_a_sentence(error: str) -> None:
    """What is not known is named, and said whom to tell."""
    sentence = notices.elsewhere(error)

    assert sentence.endswith((".", "`."))
    assert ("Tell whoever runs this bot" in sentence) is (error in ("missing_scope", "unheard_of"))


# -- clicks ----------------------------------------------------------------------------------------------


async def test_two_clicks_in_a_row_are_one_run(scene: Scene) -> None:
    """People double-click: what is started, is started once; the next click, later, is another run."""
    message = await scene.provision(f"preview {scene.people['create']}")
    workspace = scene.world.workspace
    clicks = [workspace.click("U0MARIA", "provision_this", message=message["ts"]) for _ in range(2)]
    await asyncio.gather(*clicks)
    await workspace.until(lambda: len(scene.ended()) == 2, within=20)
    await asyncio.sleep(0.3)

    assert len([w for w in scene.writes() if w["method"] == "POST"]) == 1
    assert len(await scene.world.bot.systems.store.history(limit=10)) == 2
    await workspace.click("U0ADAM", "run_again", message=message["ts"])
    await workspace.until(lambda: len(scene.ended()) == 3, within=20)


async def test_running_again_is_about_the_same_object(scene: Scene) -> None:
    """By its GUID: what is called so by now may be somebody else."""
    message = await scene.provision(f"preview {scene.people['create']}")
    first = await scene.last_run()
    await scene.world.workspace.click("U0MARIA", "run_again", message=message["ts"])
    await scene.world.workspace.until(lambda: len(scene.ended()) == 2, within=20)
    again = await scene.last_run()

    assert first.object is not None
    assert again.identifier == first.object.guid
    assert again.object == first.object


async def test_a_click_on_what_is_under_way_says_where_it_is(tmp_path: Path) -> None:
    """The run that the button started goes on: a further click starts nothing, and says whose and where."""
    async with scene_with({}, tmp_path, pace=replace(QUICK, double_click_s=0.1)) as scene:
        message = await scene.provision(f"preview {scene.people['create']}")
        workspace = scene.world.workspace
        scene.world.tenant.inject({"match": {"path_regex": "batch"}, "then": {"delay_s": 2.0}})
        await workspace.click("U0MARIA", "run_again", message=message["ts"])
        await asyncio.sleep(0.3)
        await workspace.click("U0MARIA", "run_again", message=message["ts"])
        await workspace.until(lambda: bool(scene.told("U0MARIA")), within=20)
        (told,) = scene.told("U0MARIA")
        await workspace.until(lambda: len(scene.ended()) == 2, within=20)

        assert "is being worked on right now" in told["text"]
        assert "<@U0MARIA>" in told["text"]
        assert "<#C0IDENTITY>" in told["text"]
        assert len(await scene.world.bot.systems.store.history(limit=10)) == 2


EXPIRED = ["run_again", "provision_this", "details_import", "history"]


@one_transport
@pytest.mark.parametrize("action", EXPIRED)
async def test_an_expired_button_says_what_to_do(scene: Scene, action: str) -> None:
    """The run is no longer stored: whoever presses a button of its message reads how to go on."""
    message = await scene.provision(f"preview {scene.people['create']}")
    run = await scene.last_run()
    assert run.ended_at is not None
    await scene.world.bot.systems.store.purge(run.ended_at + timedelta(seconds=1))
    workspace = scene.world.workspace
    await workspace.click("U0MARIA", action, message=message["ts"])
    await workspace.until(lambda: bool(scene.told("U0MARIA") or workspace.views("U0MARIA")), within=20)
    said = [*scene.told("U0MARIA"), *workspace.views("U0MARIA")][0]

    assert "no longer stored" in read(said)
    assert "again" in read(said)


async def test_history_opens_from_the_message(scene: Scene) -> None:
    """The History button: the runs of this very object, each with a way in."""
    await scene.provision(f"preview {scene.people['create']}")
    message = await scene.provision(scene.people["create"])
    await scene.provision(scene.people["unchanged"])
    workspace = scene.world.workspace
    await workspace.click("U0VERA", "History", message=message["ts"])
    await workspace.until(lambda: bool(workspace.views("U0VERA")), within=20)
    (view,) = workspace.views("U0VERA")
    for number, action in ((2, "open_run"), (3, "details_action")):
        top = workspace.views("U0VERA")[-1]
        place = next(b for b in top["blocks"] if b.get("accessory", {}).get("action_id") == action)
        await workspace.click("U0VERA", str(top["blocks"].index(place)), view=top["id"])
        await workspace.until(lambda n=number: len(workspace.views("U0VERA")) == n, within=20)  # type: ignore[misc]  # a default argument

    assert "History of Ada Lovelace" in read(view)
    assert "Would be created" in read(view)
    assert UNCHANGED not in read(view)
    assert scene.problems() == []


# -- out of scope, and nevertheless ----------------------------------------------------------------------


def overriding(folder: Path, *people: str) -> str:
    """Return a folder with the sample configuration in which these people may override the scope."""
    rules = folder / "rules"
    rules.mkdir()
    text = SAMPLE.read_text(encoding="utf-8")
    given = f"access:\n  override_scope:\n    people: [{', '.join(people)}]\n"
    (rules / "contoso.yaml").write_text(text.replace("access:\n", given, 1), encoding="utf-8")
    return str(rules)


async def pressed(
    scene: Scene, message: dict[str, Any], action: str, user: str = "U0MARIA"
) -> dict[str, Any]:
    """Press a button and return the message of the run that comes of it."""
    before = len(scene.ended())
    await scene.world.workspace.click(user, action, message=message["ts"])
    await scene.world.workspace.until(lambda: len(scene.ended()) > before, within=20)
    return scene.ended()[-1]


async def test_the_scope_is_overridden_by_right_and_on_record(tmp_path: Path) -> None:
    """Preview anyway, then provision: each says that the scope was overridden, and why it said no."""
    rules = overriding(tmp_path, "T0CONTOSO/U0MARIA", "T0CONTOSO/U0HENRY")
    async with scene_with({"FOURCHECK_CONFIGURATIONS": rules}, tmp_path) as scene:
        message = await scene.provision(scene.people["scope-filter"])
        assert scene.writes() == []

        message = await pressed(scene, message, "preview_anyway", "U0HENRY")
        preview = await scene.last_run()
        assert scene.writes() == []
        assert preview.outcome in (Outcome.WOULD_CREATE, Outcome.WOULD_UPDATE)
        assert preview.stage(StageName.SCOPE).status is StageStatus.WARNING
        assert "overridden on request" in read(message)
        await scene.world.workspace.click("U0HENRY", "provision_this", message=message["ts"])
        await scene.world.workspace.until(lambda: bool(scene.told("U0HENRY")), within=20)
        assert "may not provision" in scene.told("U0HENRY")[0]["text"]

        message = await pressed(scene, message, "provision_this")
        run = await scene.last_run()
        assert run.outcome in (Outcome.CREATED, Outcome.UPDATED)
        assert any("overridden" in warning for warning in run.warnings)


async def test_without_the_right_the_scope_stands(tmp_path: Path) -> None:
    """Who may provision may not therefore override; nor may a preview of somebody else be carried out."""
    rules = overriding(tmp_path, "T0CONTOSO/U0ADAM")
    async with scene_with({"FOURCHECK_CONFIGURATIONS": rules}, tmp_path) as scene:
        message = await scene.provision(scene.people["scope-filter"])
        await scene.world.workspace.click("U0MARIA", "preview_anyway", message=message["ts"])
        await scene.world.workspace.until(lambda: bool(scene.told("U0MARIA")), within=20)
        (told,) = scene.told("U0MARIA")
        assert "may not override the scope" in told["text"]
        assert "<@U0ADAM>" in told["text"]

        message = await pressed(scene, message, "preview_anyway", "U0ADAM")
        await scene.world.workspace.click("U0MARIA", "provision_this", message=message["ts"])
        await scene.world.workspace.click("U0MARIA", "run_again", message=message["ts"])
        await scene.world.workspace.until(lambda: len(scene.told("U0MARIA")) == 3, within=20)

        assert scene.writes() == []
        assert len(scene.ended()) == 2


async def test_a_guard_is_never_overridden(tmp_path: Path) -> None:
    """What is built in keeps its word: no button, and a request made by hand is of no use."""
    rules = overriding(tmp_path, "T0CONTOSO/U0MARIA")
    async with scene_with({"FOURCHECK_CONFIGURATIONS": rules}, tmp_path) as scene:
        message = await scene.provision("CN=krbtgt,CN=Users,DC=contoso,DC=test")

        assert (await scene.last_run()).outcome is Outcome.SKIPPED
        assert "preview_anyway" not in json.dumps(message["blocks"])
