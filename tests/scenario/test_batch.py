"""Several objects in one command: one message, each object a run of its own."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.demo import CHANNEL, Contoso, environment
from bot.progress import OPEN, Place
from bot.settings import load_settings
from bot.wiring import running_bot
from pipeline.ids import ActorId, new_run_id
from pipeline.model import Mode, Outcome, Request
from pipeline.runs.store import open_store
from sandbox.directory import DirectoryServer
from sandbox.people import directory_entries, tenant_seed
from sandbox.tenant import TenantServer
from sandbox.workspace import WorkspaceServer
from tests.fixtures.scene import PATIENCE_S, QUICK, Scene, make_store, read

FOUR = ("create", "update-three", "unchanged", "ambiguous")


def several(scene: Scene, *cases: str, verb: str = "") -> str:
    """Return the command on these people, one a line."""
    return f"{verb} " + "\n".join(scene.people[case] for case in cases)


def methods(scene: Scene) -> list[str]:
    """Return the calls that the bot made to Slack."""
    return [call["method"] for call in scene.world.workspace.calls()]


async def test_several_objects_share_one_message(scene: Scene) -> None:
    """Each is a run of its own, with a line of its own; the totals stand first, also for a screen reader."""
    message = await scene.provision(several(scene, *FOUR))
    runs = await scene.world.bot.systems.store.history(limit=10)

    assert len(scene.posted()) == methods(scene).count("chat.postMessage") == 1
    assert message["text"].startswith("3 of 4 objects provisioned, 1 refused.")
    assert "Ada Lovelace was created in Entra ID" in message["text"]
    assert {run.outcome for run in runs} == {
        Outcome.CREATED,
        Outcome.UPDATED,
        Outcome.UNCHANGED,
        Outcome.REFUSED,
    }
    assert scene.problems() == []


async def test_each_object_opens_with_its_stages(scene: Scene) -> None:
    """Details opens the run as a modal, and View details the stage on top of it."""
    message = await scene.provision(several(scene, *FOUR))
    workspace = scene.world.workspace
    await workspace.click("U0VERA", "Details", message=message["ts"], beside="Ada Lovelace")
    await workspace.until(lambda: len(workspace.views("U0VERA")) == 1, within=20)
    (run,) = workspace.views("U0VERA")
    await workspace.click("U0VERA", "details_import", view=run["id"])
    await workspace.until(lambda: len(workspace.views("U0VERA")) == 2, within=20)

    assert "Ada Lovelace was created" in read(run)
    assert "Lovelace" in read(workspace.views("U0VERA")[-1])
    assert scene.problems() == []


async def test_previews_can_be_carried_out_together(scene: Scene) -> None:
    """Provision all asks first, then carries out the plans that there are, by whoever may."""
    message = await scene.provision(several(scene, *FOUR, verb="preview"))
    workspace = scene.world.workspace
    assert scene.writes() == []
    assert "nothing was written" in message["text"]
    await workspace.click("U0HENRY", "provision_all", message=message["ts"])
    await workspace.until(lambda: bool(scene.told("U0HENRY")), within=20)
    assert "may not provision" in scene.told("U0HENRY")[0]["text"]

    await workspace.click("U0MARIA", "provision_all", message=message["ts"], confirm=False)
    await workspace.click("U0MARIA", "provision_all", message=message["ts"])
    await workspace.until(lambda: len(scene.ended()) == 2, within=20)

    assert scene.ended()[-1]["text"].startswith("2 of 2 objects provisioned")
    assert len(scene.ended()) == 2


async def test_all_can_be_run_again_once(scene: Scene) -> None:
    """Run all again repeats every one; two clicks in a row are one."""
    message = await scene.provision(several(scene, "unchanged", "create", verb="preview"))
    clicks = [
        scene.world.workspace.click("U0MARIA", "run_again_all", message=message["ts"]) for _ in range(2)
    ]
    await asyncio.gather(*clicks)
    await scene.world.workspace.until(lambda: len(scene.ended()) == 2, within=20)
    await asyncio.sleep(0.3)

    assert len(await scene.world.bot.systems.store.history(limit=10)) == 4


async def test_what_cannot_be_read_stands_beside_the_rest(scene: Scene) -> None:
    """One line that is no identifier ends as failed; the others are carried out."""
    message = await scene.provision(f"preview {scene.people['create']}\n=,=\nnobody@contoso.test")

    assert message["text"].startswith("Preview: 1 of 3 objects previewed, 2 failed")


async def test_the_message_goes_on_until_the_last_of_them_has_ended(scene: Scene) -> None:
    """The first one fails at once, the other takes its time: nothing is left under way in the message."""
    scene.world.tenant.inject({"match": {"path_regex": "batch"}, "then": {"delay_s": 0.5}})
    message = await scene.provision(f"=,=\n{scene.people['unchanged']}")

    assert message["text"].startswith("1 of 2 objects provisioned, 1 failed.")


async def test_ten_awkward_objects_fit(scene: Scene) -> None:
    """Ten at once, whatever they are called: within every limit, and no name does anything."""
    cases = [case for case in scene.people if case.startswith("awkward")][:10]
    message = await scene.provision(several(scene, *cases, verb="preview"))

    assert len(message["blocks"]) >= 12
    assert scene.problems() == []
    assert "<!channel>" not in json.dumps(message["blocks"])


async def test_updates_are_serial_and_few_while_slack_is_slow(scene: Scene) -> None:
    """Slack takes half a second for each update: newest state wins, and the end still comes."""
    workspace = scene.world.workspace
    workspace.add_faults([{"method": "chat.update", "times": 50, "then": {"delay_s": 0.5}}])
    message = await scene.provision(several(scene, *FOUR, "group-40", "manager-missing"))

    assert methods(scene).count("chat.postMessage") == 1
    assert methods(scene).count("chat.update") <= 8, "there are some thirty states"
    assert "6 objects" in message["text"]


async def test_a_private_channel_gets_the_end_once(scene: Scene) -> None:
    """Where the bot is no member, all of it comes in one post, with a hint."""
    message = await scene.provision(several(scene, "unchanged", "create"), channel="C0PRIVATE")
    await scene.world.workspace.until(lambda: bool(scene.told("U0MARIA", "C0PRIVATE")), within=20)

    assert message["text"].startswith("2 of 2 objects provisioned")
    assert len(scene.posted("C0PRIVATE")) == 1


# -- starts and stops ------------------------------------------------------------------------------------


def asked(identifier: str) -> Request:
    """Return what Maria asks for."""
    return Request(new_run_id(), Mode.PREVIEW, identifier, ActorId("T0CONTOSO/U0MARIA"))


LEFT = [
    ((), "nothing had begun"),
    ((0,), "the first one was under way"),
    ((1, 2), "the others were under way"),
]


@pytest.mark.parametrize(("claimed", "reason"), LEFT, ids=[row[1] for row in LEFT])
async def test_a_start_finishes_the_shared_message(
    tmp_path: Path, claimed: tuple[int, ...], reason: str
) -> None:
    """A process ends in the middle: the next one carries out every run, in the one message."""
    del reason
    async with (
        WorkspaceServer(ack_deadline=PATIENCE_S) as workspace,
        TenantServer(seed=tenant_seed()) as tenant,
        DirectoryServer(entries=directory_entries()) as directory,
    ):
        make_store(tmp_path)
        world = Scene(Contoso(workspace, tenant, directory, None))  # type: ignore[arg-type]  # not up yet
        requests = [asked(world.people[case]) for case in FOUR[:3]]
        place = Place(CHANNEL, "U0MARIA", batch=tuple(request.run_id for request in requests))
        answer = await _post(workspace, place)
        place = replace(place, ts=answer)
        store = open_store(f"sqlite:///{tmp_path}/demo.db")
        for number, request in enumerate(requests):
            notice = place.document() | ({OPEN: False} if number else {})
            await store.accept(request, delivery=None, notice=notice, begin=number in claimed)
        await store.close()
        given = environment(workspace, tenant, directory, tmp_path, "socket")
        async with running_bot(load_settings(given, dotenv=tmp_path / "none"), QUICK) as bot:
            scene = Scene(Contoso(workspace, tenant, directory, bot))
            await workspace.until(lambda: bool(scene.ended()), within=20)
            (message,) = scene.posted()

            assert message["ts"] == place.ts
            assert "3 objects" in message["text"]
            assert "3 of 3 objects previewed" in message["text"]
            kept = await bot.systems.store.notice(requests[0].run_id)
            assert kept is not None
            await _until_closed(scene, requests[0])


async def _post(workspace: WorkspaceServer, place: Place) -> str:
    """Post what a former process had posted."""
    from slack_sdk.web.async_client import AsyncWebClient  # noqa: PLC0415  # for this alone

    settings: dict[str, Any] = workspace.settings()
    client = AsyncWebClient(
        token=settings["FOURCHECK_SLACK__BOT_TOKEN"], base_url=settings["FOURCHECK_SLACK__API_URL"] + "/"
    )
    answer = await client.chat_postMessage(channel=place.channel, text="under way")
    return str(answer["ts"])


async def _until_closed(scene: Scene, request: Request) -> None:
    for _ in range(50):
        notice = await scene.world.bot.systems.store.notice(request.run_id)
        if notice is not None and not notice[OPEN]:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the message stays open")
