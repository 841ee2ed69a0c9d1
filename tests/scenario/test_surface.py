"""The Slack surface: what is acknowledged, what is posted, what the buttons do, who is refused."""

from __future__ import annotations

import json

import pytest

from pipeline.model import Outcome, StageName
from tests.fixtures.scene import Scene, read


async def test_one_message_is_posted_and_updated_in_place(scene: Scene) -> None:
    """A run is one message: posted once, brought to its final state in place."""
    await scene.provision(scene.people["create"])
    methods = [call["method"] for call in scene.world.workspace.calls()]

    assert methods.count("chat.postMessage") == 1
    assert set(methods) <= {"auth.test", "apps.connections.open", "chat.postMessage", "chat.update"}


async def test_preview_writes_nothing_and_can_be_carried_out(scene: Scene) -> None:
    """A preview shows the plan; Provision this carries out that very plan."""
    message = await scene.provision(f"preview {scene.people['update-three']}")
    assert (await scene.last_run()).outcome is Outcome.WOULD_UPDATE
    assert scene.writes() == []

    await scene.world.workspace.click("U0MARIA", "provision_this", message=message["ts"])
    await scene.world.workspace.until(lambda: len(scene.ended()) == 2, within=20)

    assert (await scene.last_run()).outcome is Outcome.UPDATED
    assert len(scene.writes()) == 1


async def test_a_plan_that_no_longer_fits_is_refused(scene: Scene) -> None:
    """Between preview and click somebody else changed the user: nothing is written."""
    message = await scene.provision(f"preview {scene.people['update-three']}")
    await scene.provision(scene.people["update-three"], user="U0ADAM")
    before = len(scene.writes())

    await scene.world.workspace.click("U0MARIA", "provision_this", message=message["ts"])
    await scene.world.workspace.until(lambda: len(scene.ended()) == 3, within=20)
    run = await scene.last_run()

    assert len(scene.writes()) == before
    assert run.outcome in {Outcome.REFUSED, Outcome.UNCHANGED}


async def test_run_again_repeats_the_request(scene: Scene) -> None:
    """Run again is the same object in the same mode, in the name of whoever clicked."""
    message = await scene.provision(f"preview {scene.people['create']}")

    await scene.world.workspace.click("U0HENRY", "run_again", message=message["ts"])
    await scene.world.workspace.until(lambda: len(scene.ended()) == 2, within=20)
    run = await scene.last_run()

    assert run.actor == "T0CONTOSO/U0HENRY"
    assert run.outcome is Outcome.WOULD_CREATE


@pytest.mark.parametrize("stage", list(StageName))
async def test_every_stage_opens_its_details(scene: Scene, stage: StageName) -> None:
    """View details opens a modal that names the stage and holds its evidence, without asking AD or Graph."""
    message = await scene.provision(scene.people["update-three"])
    requests = len(scene.world.tenant.ledger)
    modal = await scene.details(message, stage)

    assert modal["type"] == "modal"
    assert len(read(modal)) > 100
    assert len(scene.world.tenant.ledger) == requests
    assert scene.problems() == []


async def test_details_open_with_everything_else_away(scene: Scene) -> None:
    """The details come from the store: directory and tenant may both be gone."""
    message = await scene.provision(scene.people["create"])
    await scene.world.directory.stop()
    await scene.world.tenant.stop()

    modal = await scene.details(message, StageName.IMPORT)

    assert "Lovelace" in read(modal)


async def test_pages_turn_in_place(scene: Scene) -> None:
    """Next shows the following page in the same modal, and Previous comes back."""
    message = await scene.provision(scene.people["create"])
    first = await scene.details(message, StageName.IMPORT)
    workspace = scene.world.workspace

    await workspace.click("U0MARIA", "page_next", view=first["id"])
    await workspace.until(lambda: workspace.views("U0MARIA")[-1]["hash"] != first["hash"], within=20)
    (second,) = workspace.views("U0MARIA")
    await workspace.click("U0MARIA", "page_previous", view=second["id"])
    await workspace.until(lambda: workspace.views("U0MARIA")[-1]["hash"] != second["hash"], within=20)
    (third,) = workspace.views("U0MARIA")

    assert read(first) != read(second)
    assert read(first) == read(third)


REFUSED = [
    ("U0STELLA", "", "provision", "she has no right at all"),
    ("U0VERA", "preview ", "preview", "she may look and no more"),
    ("U0HENRY", "", "provision", "he may preview and not provision"),
]


@pytest.mark.parametrize(("user", "verb", "right", "reason"), REFUSED, ids=[r[3] for r in REFUSED])
async def test_who_has_no_right_is_refused(
    scene: Scene, user: str, verb: str, right: str, reason: str
) -> None:
    """Refused at once, for their eyes only, saying whom to ask; the attempt is on record; nothing is read."""
    answer = await scene.type(f"{verb}{scene.people['create']}", user)
    body = answer["ack"]["body"]

    assert f"may not {right}" in body["text"], reason
    assert "<@U0MARIA>" in body["text"]
    assert scene.posted() == []
    assert scene.writes() == []


async def test_a_click_is_checked_like_a_command(scene: Scene) -> None:
    """Anyone can press a button: who may not look gets no modal, who may not provision no run."""
    message = await scene.provision(f"preview {scene.people['create']}")
    workspace = scene.world.workspace

    await workspace.click("U0STELLA", "details_import", message=message["ts"])
    await workspace.click("U0VERA", "provision_this", message=message["ts"])
    await workspace.until(lambda: bool(scene.told("U0STELLA") and scene.told("U0VERA")), within=20)

    assert workspace.views("U0STELLA") == []
    assert scene.writes() == []
    assert len(scene.ended()) == 1


async def test_the_same_delivery_twice_is_one_run(scene: Scene) -> None:
    """A repeated delivery finds the run of the first one."""
    store = scene.world.bot.systems.store
    await scene.provision(scene.people["create"])
    (sent,) = [d for d in scene.world.workspace.dispatches() if d["type"] == "slash_commands"]
    await scene.world.workspace._people._dispatch("slash_commands", sent["payload"], answers=True)

    assert len(await store.history(limit=10)) == 1
    assert len([w for w in scene.writes() if w["method"] == "POST"]) == 1


BAD = [
    ("CN=Ada\\", "escapes nothing", "not a DN"),
    ("CN=Ada\u202eavil,DC=contoso,DC=test", "invisible", "a character that turns the text round"),
]


@pytest.mark.parametrize(("text", "words", "reason"), BAD, ids=[row[2] for row in BAD])
async def test_bad_input_is_answered_in_one_sentence(
    scene: Scene, text: str, words: str, reason: str
) -> None:
    """Told to the person who typed it, with an example; on record; nothing in the channel."""
    answer = await scene.type(text)

    assert words in answer["ack"]["body"]["text"], reason
    assert "Example" in json.dumps(answer["ack"]["body"])
    assert scene.posted() == []


MISSING = [
    ("CN=Nobody,OU=London,DC=contoso,DC=test", "object_not_found", "a DN that does not exist"),
    ("CN=PC001,OU=Computers,OU=Contoso,DC=contoso,DC=test", "object_kind_unknown", "a computer"),
]


@pytest.mark.parametrize(("dn", "code", "reason"), MISSING, ids=[row[2] for row in MISSING])
async def test_what_cannot_be_imported_fails_there(scene: Scene, dn: str, code: str, reason: str) -> None:
    """The message says what is wrong and what to do; the run is stored."""
    message = await scene.provision(dn)
    run = await scene.last_run()

    assert run.error is not None, reason
    assert run.error.code == code
    assert run.error.remedy.split(".")[0] in read(message)


async def test_help_lists_what_the_caller_may_do(scene: Scene) -> None:
    """A viewer is not told of commands that would be refused."""
    maria = await scene.type("help")
    vera = await scene.type("help", "U0VERA")

    assert "/provision <" in maria["ack"]["body"]["text"].replace("&lt;", "<")
    assert "/provision preview" not in vera["ack"]["body"]["text"]


@pytest.mark.parametrize("scene", ["socket"], indirect=True)
async def test_help_without_any_right_names_who_can_give_one(scene: Scene) -> None:
    """Whoever may do nothing yet reads whom to ask, by name."""
    stella = await scene.type("help", "U0STELLA")

    assert "<@U0MARIA>" in stella["ack"]["body"]["text"]
    assert "whoever" not in stella["ack"]["body"]["text"]


ANSWERED = [
    ("preveiw {create}", "/provision preview CN=Ada", "a slip in the verb"),
    ("histroy", "/provision history", "a slip alone"),
    ("{create} with nope", "no configuration “nope”", "a configuration that is not there"),
    ("{create} with contosso", "Did you mean “contoso”", "one that is nearly there"),
    ("\n".join(f"user{number}" for number in range(11)), "at most 10", "too many at once"),
]


@pytest.mark.parametrize(("text", "words", "reason"), ANSWERED, ids=[row[2] for row in ANSWERED])
async def test_what_was_probably_meant_is_asked_and_not_done(
    scene: Scene, text: str, words: str, reason: str
) -> None:
    """Nothing is started, read or posted on a guess; who typed it reads what to type."""
    answer = await scene.type(text.format(**scene.people) if "{" in text else text)

    assert words in answer["ack"]["body"]["text"], reason
    assert scene.posted() == []
    assert await scene.world.bot.systems.store.history(limit=1) == []
    assert scene.problems() == []


async def test_where_the_bot_is_no_member_the_result_still_comes(scene: Scene) -> None:
    """In a private channel without the bot the final state comes by the response URL, with a hint."""
    message = await scene.provision(scene.people["unchanged"], channel="C0PRIVATE")
    await scene.world.workspace.until(lambda: bool(scene.told("U0MARIA", "C0PRIVATE")), within=20)
    (hint,) = scene.told("U0MARIA", "C0PRIVATE")

    assert "Katherine" in read(message)
    assert "/invite" in hint["text"]


async def test_private_values_leave_no_trace(scene: Scene) -> None:
    """A private attribute is used and never shown or stored: not the source, not what is made of it."""
    message = await scene.provision(scene.people["create"])
    run = await scene.last_run()
    await scene.details(message, StageName.IMPORT)
    (user,) = [w["body"] for w in scene.writes() if w["method"] == "POST"]
    everything = json.dumps(scene.world.workspace.calls()) + repr(run)

    assert user["mobilePhone"]
    assert user["employeeId"]
    assert user["mobilePhone"] not in everything
    assert user["employeeId"] not in everything
    assert "present, hidden" in everything


async def test_a_command_is_acknowledged_at_once(scene: Scene) -> None:
    """Slack waits three seconds for the acknowledgement: it comes long before the run has ended."""
    answer = await scene.type(scene.people["create"])

    assert answer["ack"]["ms"] < 3000
    assert [m for m in scene.posted() if "run_again" in json.dumps(m["blocks"])] == []
