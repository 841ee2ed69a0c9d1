"""Trouble with each system: one sentence in Slack that says what to do, and the run on record."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.progress import Messages, Place
from bot.response_urls import ResponseUrls
from bot.slack import SlackRefused
from bot.tasks import Tasks
from bot.views import Message
from pipeline.model import Outcome, Run, StageName, StageStatus
from sandbox.directory import DirectoryServer
from tests.fixtures.scene import Scene, read, scene_with


async def require_failure(scene: Scene, code: str, stage: StageName) -> None:
    """Provision someone, and check that the run failed with this error here, in words and on record."""
    message = await scene.provision(scene.people["create"])
    run = await scene.last_run()

    assert run.outcome is Outcome.FAILED
    assert run.error is not None
    assert run.error.code == code
    assert run.stage(stage).status is StageStatus.FAILED
    assert "What you can do" in read(message)
    assert "Traceback" not in read(message)
    assert scene.problems() == []


SETTINGS: list[tuple[Mapping[str, str], str, StageName, str]] = [
    (
        {"FOURCHECK_DIRECTORY__URLS": "ldaps://127.0.0.1:1"},
        "directory_unreachable",
        StageName.IMPORT,
        "nobody listens where the directory should be",
    ),
    (
        {"FOURCHECK_DIRECTORY__URLS": "ldaps://dc1.nowhere.invalid"},
        "directory_unreachable",
        StageName.IMPORT,
        "the directory's name is unknown",
    ),
    (
        {"FOURCHECK_DIRECTORY__BIND_PASSWORD": "wrong"},
        "directory_bind_refused",
        StageName.IMPORT,
        "the bot's password is wrong",
    ),
    ({"FOURCHECK_ENTRA__CLIENT_SECRET": "wrong"}, "sign_in_refused", StageName.MATCH, "the secret is wrong"),
    (
        {"FOURCHECK_ENTRA__GRAPH_URL": "http://127.0.0.1:1"},
        "tenant_unreachable",
        StageName.MATCH,
        "nobody listens where Graph should be",
    ),
]


@pytest.mark.parametrize(("overrides", "code", "stage", "reason"), SETTINGS, ids=[row[3] for row in SETTINGS])
async def test_a_system_that_is_set_up_wrong_is_named(
    tmp_path: Path, overrides: Mapping[str, str], code: str, stage: StageName, reason: str
) -> None:
    """The bot starts all the same, and each run says which system it is and what to look at."""
    del reason
    async with scene_with(overrides, tmp_path) as scene:
        await require_failure(scene, code, stage)


async def test_an_untrusted_certificate_is_refused(tmp_path: Path) -> None:
    """A directory whose certificate another CA issued is not spoken to: no password leaves."""
    async with DirectoryServer() as other:
        foreign = {"FOURCHECK_DIRECTORY__CA_FILE": other.settings()["FOURCHECK_DIRECTORY__CA_FILE"]}
        async with scene_with(foreign, tmp_path) as scene:
            await require_failure(scene, "directory_untrusted", StageName.IMPORT)


BAD_TOKENS = [
    ("FOURCHECK_SLACK__APP_TOKEN", "xapp-nope", "the token of the link is wrong"),
    ("FOURCHECK_SLACK__BOT_TOKEN", "xoxb-nope", "the bot's own token is wrong"),
]


@pytest.mark.parametrize(("name", "value", "reason"), BAD_TOKENS, ids=[row[2] for row in BAD_TOKENS])
async def test_a_token_that_slack_refuses_ends_the_start(
    tmp_path: Path, name: str, value: str, reason: str
) -> None:
    """Said at once, with what to do: a bot that can never hear anything does not pretend to run."""
    del reason
    with pytest.raises(SlackRefused) as caught:
        async with scene_with({name: value}, tmp_path):
            pass

    assert "invalid_auth" in caught.value.message


async def test_writing_off_previews_everything(tmp_path: Path) -> None:
    """With writing switched off a provision stays a preview, says so, and writes nothing."""
    async with scene_with({"FOURCHECK_ENTRA__WRITES": "off"}, tmp_path) as scene:
        message = await scene.provision(scene.people["create"])

        assert (await scene.last_run()).outcome is Outcome.WOULD_CREATE
        assert "switched off" in read(message)
        assert scene.writes() == []


async def test_slack_that_throttles_gets_the_final_state(scene: Scene) -> None:
    """Slack asks to wait: the run goes on, and the final state comes when Slack takes it."""
    slow = {"method": "chat.update", "times": 1, "then": {"status": 429, "headers": {"Retry-After": "1"}}}
    lost = {"method": "chat.postMessage", "times": 1, "then": {"status": 503}}
    scene.world.workspace.add_faults([slow, lost])

    message = await scene.provision(scene.people["unchanged"])

    assert "Katherine" in read(message)
    assert len(scene.posted()) == 1


async def test_runs_at_once_do_not_mix(scene: Scene) -> None:
    """Ten people at once: each message is about its own person, and nobody waits for another."""
    cases = [case for case in scene.people if case.startswith("awkward")][:10]
    await asyncio.gather(*(scene.type(scene.people[case]) for case in cases))
    await scene.world.workspace.until(lambda: len(scene.ended()) == len(cases), within=30)
    runs = await scene.world.bot.systems.store.history(limit=20)

    assert {run.outcome for run in runs} == {Outcome.CREATED}
    assert sorted(str(run.object.dn) for run in runs if run.object) == sorted(
        scene.people[case] for case in cases
    )


async def test_no_secret_leaves_the_process(
    scene: Scene, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Tokens, passwords and secrets appear in no message, no stored run and no log line, however detailed."""
    world = scene.world
    caplog.set_level("DEBUG")
    await scene.provision(scene.people["create"])
    await scene.provision("CN=Nobody,DC=contoso,DC=test")
    secrets = [
        value
        for part in (world.workspace, world.tenant, world.directory)
        for name, value in part.settings().items()
        if name.endswith(("TOKEN", "SECRET", "PASSWORD"))
    ]
    store = world.bot.systems.store
    said = repr(world.workspace.calls()) + repr(await store.history(limit=10)) + caplog.text
    said += "".join(capfd.readouterr())

    assert len(secrets) == 5
    assert [secret for secret in secrets if secret in said] == []


async def test_a_message_that_cannot_be_drawn_still_says_how_the_run_ended(scene: Scene) -> None:
    """A defect of a view never leaves a message at "Running": the end comes in plain words, with an id."""
    slack = scene.world.workspace
    systems = scene.world.bot.systems
    await scene.provision(scene.people["create"])
    run = await scene.last_run()

    def broken(_: Sequence[Run]) -> Message:
        raise ValueError("this view has a defect")

    tasks = Tasks()
    settings = slack.settings()
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(
            token=settings["FOURCHECK_SLACK__BOT_TOKEN"],
            base_url=settings["FOURCHECK_SLACK__API_URL"] + "/",
            session=session,
        )
        messages = Messages(client, ResponseUrls(session, lambda _: None), systems.store, tasks, broken)
        messages.show(run.run_id, Place("C0IDENTITY", "U0MARIA"))
        await messages.changed(run)
        await tasks.drain(5)

    told = scene.posted()[-1]
    assert told["text"].startswith("The run stands at “created”. Its message could not be shown")
    assert run.run_id in told["text"]
