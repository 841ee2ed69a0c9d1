"""The bot's life: trouble in the middle of a message, errors in clicks, stops and starts, health."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer

from bot.demo import CHANNEL, Contoso, environment
from bot.progress import Place
from bot.response_urls import ResponseUrlGone
from bot.settings import load_settings
from bot.slack import open_slack, trusted
from bot.wiring import running_bot
from pipeline.identifiers import parse_identifier
from pipeline.ids import ActorId, RunId, new_run_id
from pipeline.model import Mode, Outcome, Request, StageName
from pipeline.runs.store import Store, open_store
from sandbox.directory import DirectoryServer
from sandbox.directory.faults import FaultKind
from sandbox.people import directory_entries, tenant_seed
from sandbox.tenant import TenantServer
from sandbox.workspace import WorkspaceServer
from tests.fixtures.scene import PATIENCE_S, QUICK, Scene, make_store, read

PRIVATE = "C0PRIVATE"
"""A channel in which the bot is no member."""


@dataclass
class Town:
    """Contoso without the bot, which starts and stops here as often as a test likes, on one store."""

    workspace: WorkspaceServer
    tenant: TenantServer
    directory: DirectoryServer
    folder: Path

    @asynccontextmanager
    async def bot(self, **overrides: str) -> AsyncIterator[Scene]:
        """Run the bot until the block ends; `overrides` are settings without their prefix."""
        given = environment(self.workspace, self.tenant, self.directory, self.folder, "socket")
        given |= {f"FOURCHECK_{name}": value for name, value in overrides.items()}
        async with running_bot(load_settings(given, dotenv=self.folder / "none"), QUICK) as bot:
            yield Scene(Contoso(self.workspace, self.tenant, self.directory, bot))

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """Open the store as the bot would, while it is not running."""
        store = open_store(f"sqlite:///{self.folder}/demo.db")
        yield store
        await store.close()

    def sql(self, *statements: str) -> None:
        """Change the store's file from outside, such as by a trigger that refuses some writes."""
        with closing(sqlite3.connect(self.folder / "demo.db", isolation_level=None, timeout=5)) as connection:
            for statement in statements:
                connection.execute(statement)

    def refuse(self, writes: str) -> None:
        """Let the store's file refuse these writes, `UPDATE ON notices` for one, until `allow`."""
        self.sql(f"CREATE TRIGGER trouble BEFORE {writes} BEGIN SELECT RAISE(ABORT, 'trouble'); END")

    def allow(self) -> None:
        """End the trouble."""
        self.sql("DROP TRIGGER trouble")


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    """Give contoso with nobody serving it yet."""
    async with AsyncExitStack() as stack:
        workspace = await stack.enter_async_context(WorkspaceServer(ack_deadline=PATIENCE_S))
        tenant = await stack.enter_async_context(TenantServer(seed=tenant_seed()))
        directory = await stack.enter_async_context(DirectoryServer(entries=directory_entries()))
        make_store(tmp_path)
        yield Town(workspace, tenant, directory, tmp_path)


def asked(identifier: str, **more: Any) -> Request:
    """Return what Maria asks for."""
    return Request(new_run_id(), Mode.PROVISION, identifier, ActorId("T0CONTOSO/U0MARIA"), **more)


def methods(scene: Scene) -> list[str]:
    """Return the calls that the bot made to Slack."""
    return [call["method"] for call in scene.world.workspace.calls()]


# -- the message that dies -------------------------------------------------------------------------------


async def test_a_notice_that_cannot_be_stored_stops_no_message(town: Town) -> None:
    """Where the message stands could not be noted: the message goes on to its end all the same."""
    async with town.bot() as scene:
        town.refuse("UPDATE ON notices")
        message = await scene.provision(scene.people["unchanged"])

        assert "Katherine" in read(message)
        assert len(scene.posted()) == 1


async def test_a_message_deleted_on_the_way_is_posted_anew_at_the_end(town: Town) -> None:
    """Somebody deletes the message while the run is under way: the result still comes, once."""
    async with town.bot() as scene:
        town.tenant.inject({"match": {"path_regex": "batch"}, "then": {"delay_s": 1.5}})
        await scene.type(scene.people["unchanged"])
        await town.workspace.until(lambda: bool(scene.posted()), within=20)
        await town.workspace.delete(scene.posted()[0]["ts"])
        await town.workspace.until(lambda: bool(scene.ended()), within=20)

        assert len(scene.posted()) == 1
        assert "Katherine" in read(scene.posted()[0])


REFUSALS = [
    ("message_not_found", "it is gone"),
    ("invalid_blocks", "this state cannot be shown"),
    ("cant_update_message", "it may not be changed"),
    ("internal_error", "Slack has trouble"),
]


@pytest.mark.parametrize(("error", "reason"), REFUSALS, ids=[row[1] for row in REFUSALS])
async def test_a_refused_step_does_not_lose_the_end(town: Town, error: str, reason: str) -> None:
    """Slack refuses a state in between: the final one comes nevertheless."""
    del reason
    async with town.bot() as scene:
        town.workspace.add_faults([{"method": "chat.update", "times": 1, "then": {"error": error}}])
        town.directory.faults.add(FaultKind.DELAY, operation="search", seconds=0.3)  # the post comes first
        town.tenant.inject({"match": {"path_regex": "batch"}, "then": {"delay_s": 0.8}})

        message = await scene.provision(scene.people["unchanged"])

        assert "Katherine" in read(message)
        refused = [call["response"].get("error") for call in town.workspace.calls()]
        assert error in refused


async def test_the_response_url_is_tried_again(town: Town) -> None:
    """Where the bot is no member the result comes by the response URL, also when Slack stumbles once."""
    async with town.bot() as scene:
        trouble = {"status": 500}, {"drop": True}
        town.workspace.add_faults([{"method": "response_url", "times": 1, "then": then} for then in trouble])
        message = await scene.provision(scene.people["unchanged"], channel=PRIVATE)
        await town.workspace.until(lambda: bool(scene.told("U0MARIA", PRIVATE)), within=20)

        assert "Katherine" in read(message)
        assert len(scene.ended(PRIVATE)) == 1


async def test_a_run_waits_for_the_store_and_says_so(town: Town) -> None:
    """The store fails after accepting: nothing is written, the message says why; later the run goes on."""
    async with town.bot() as scene:
        town.refuse("UPDATE ON runs")
        await scene.type(scene.people["create"])
        await town.workspace.until(lambda: "goes on when" in json.dumps(scene.posted()), within=20)
        assert scene.writes() == []
        assert scene.ended() == []
        town.allow()
        await town.workspace.until(lambda: bool(scene.ended()), within=20)

        assert (await scene.last_run()).outcome is Outcome.CREATED
        assert len(scene.posted()) == 1
        assert [write["path"] for write in scene.writes()].count("/v1.0/users") == 1


async def test_a_run_that_waits_for_the_store_holds_no_stop_up(town: Town) -> None:
    """The store never works again: the bot stops all the same, and the next one carries the run out."""
    async with town.bot(RUNS__LEASE_S="1.5", RUNS__GRACE_S="60") as scene:
        town.refuse("UPDATE ON runs")
        await scene.type(scene.people["create"])
        await town.workspace.until(lambda: "goes on when" in json.dumps(scene.posted()), within=20)
        stopping = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - stopping < 30
    town.allow()
    async with town.bot() as scene:
        await town.workspace.until(lambda: bool(scene.ended()), within=20)

        assert (await scene.last_run()).outcome is Outcome.CREATED
        assert len(scene.posted()) == 1


# -- errors in clicks ------------------------------------------------------------------------------------


async def test_an_error_in_a_click_is_told(town: Town) -> None:
    """Provision this meets a store without room: the clicker reads what is wrong; nothing is written."""
    async with town.bot() as scene:
        message = await scene.provision(f"preview {scene.people['create']}")
        town.refuse("INSERT ON runs")
        await town.workspace.click("U0MARIA", "provision_this", message=message["ts"])
        await town.workspace.until(lambda: bool(scene.told("U0MARIA")), within=20)
        (told,) = scene.told("U0MARIA")

        assert "run store" in told["text"]
        assert "Support id" in told["text"]
        assert scene.writes() == []
        assert "preview" in read(scene.ended()[-1]).lower()


async def test_an_error_in_a_modal_is_told_there(town: Town) -> None:
    """A page that cannot be read from the store: the modal says so."""
    async with town.bot() as scene:
        message = await scene.provision(scene.people["create"])
        view = await scene.details(message, StageName.IMPORT)
        file = town.folder / "demo.db"
        town.sql("UPDATE runs SET document = json_set(document, '$.mode', 'dream')")
        await town.workspace.click("U0MARIA", "page_next", view=view["id"])
        await town.workspace.until(
            lambda: "Support id" in json.dumps(town.workspace.views("U0MARIA")), within=20
        )

        assert file.exists()


# -- stopping and starting -------------------------------------------------------------------------------


async def left_behind(
    town: Town, request: Request, place: Mapping[str, object], change: Callable[[Store], Any] | None = None
) -> None:
    """Leave a store as a process that was killed leaves it."""
    async with town.store() as store:
        await store.accept(request, delivery=None, notice=place)
        if change is not None:
            await change(store)


def configured(town: Town, old: str, new: str) -> str:
    """Write the sample configuration with something replaced; return its folder."""
    text = Path("configurations/contoso.yaml").read_text(encoding="utf-8")
    assert old in text
    folder = town.folder / "configurations"
    folder.mkdir()
    (folder / "rules.yaml").write_text(text.replace(old, new), encoding="utf-8")
    return str(folder)


def place(**more: Any) -> dict[str, object]:
    """Return where Maria's run is shown, as the store keeps it."""
    return Place(CHANNEL, "U0MARIA", **more).document()


async def test_what_was_queued_is_done_after_a_start(town: Town) -> None:
    """Accepted and not begun when the process was killed: it is carried out and shown."""
    request = asked("CN=Katherine Johnson,OU=London,OU=Contoso,DC=contoso,DC=test")
    await left_behind(town, request, place())
    async with town.bot() as scene:
        await town.workspace.until(lambda: bool(scene.ended()), within=20)

        assert (await scene.last_run()).run_id == request.run_id


async def test_what_only_one_person_was_to_see_stays_so(town: Town) -> None:
    """A refused request that was still queued at a crash is carried to its refusal, and never posted."""
    request = asked("", permitted=())
    await left_behind(town, request, place(show=False))
    async with town.bot() as scene:
        await ended(scene, request.run_id)
        await asyncio.sleep(0.3)

        assert scene.posted() == []


async def ended(scene: Scene, run_id: RunId) -> Any:
    """Wait for a run to end and return it."""
    for _ in range(200):
        run = await scene.world.bot.systems.store.load(run_id)
        if run is not None and run.ended_at is not None:
            return run
        await asyncio.sleep(0.05)
    raise TimeoutError


async def test_a_final_state_that_slack_never_took_is_brought_after_a_start(town: Town) -> None:
    """The run ended, the process died before Slack had taken the end: the message is brought to it."""
    async with town.bot() as scene:
        message = await scene.provision(scene.people["unchanged"])
        run = await scene.last_run()
    stale = town.workspace.state.find_message(message["ts"])
    assert stale is not None
    stale.blocks, stale.text = [], "Scope Running"
    async with town.store() as store:
        notice = await store.notice(run.run_id)
        assert notice is not None
        await store.save_notice(run.run_id, replace(Place.from_document(notice), final=False).document())
    async with town.bot() as scene:
        await town.workspace.until(lambda: bool(scene.ended()), within=20)
        assert "Katherine" in read(scene.ended()[0])
        assert len(scene.posted()) == 1


async def test_what_slack_has_taken_is_not_sent_again(town: Town) -> None:
    """A start after a quiet end calls Slack about nothing that is done."""
    async with town.bot() as scene:
        await scene.provision(scene.people["unchanged"])
        before = len([m for m in methods(scene) if m.startswith("chat.")])
    async with town.bot() as scene:
        await asyncio.sleep(0.3)
        assert len([m for m in methods(scene) if m.startswith("chat.")]) == before


async def test_a_right_that_was_withdrawn_meanwhile_writes_nothing(town: Town) -> None:
    """Accepted with a right, executed after a start without it: refused."""
    rules = configured(town, "U0MARIA", "U0GONE")
    async with town.bot() as scene:
        people = scene.people
    request = asked(people["create"], permitted=("contoso",))
    await left_behind(town, request, place())
    async with town.bot(CONFIGURATIONS=rules) as scene:
        run = await ended(scene, request.run_id)

        assert run.error is not None
        assert run.error.code == "not_permitted"
        assert scene.writes() == []


async def test_a_run_that_waited_too_long_is_not_begun(town: Town) -> None:
    """A request from yesterday is not carried out behind everyone's back; its message says so."""
    async with town.bot() as scene:
        people = scene.people
    request = asked(people["create"])

    await left_behind(town, request, place())
    town.sql("UPDATE runs SET created_at = '2026-01-01 00:00:00.000000'")
    async with town.bot() as scene:
        run = await ended(scene, request.run_id)
        await town.workspace.until(lambda: bool(scene.ended()), within=20)

        assert run.outcome is Outcome.INTERRUPTED
        assert scene.writes() == []


async def test_an_unreadable_run_does_not_keep_the_bot_from_starting(town: Town) -> None:
    """One document of a later version, in the middle of a run: the bot starts and serves the others."""
    request = asked("CN=Somebody,DC=contoso,DC=test")
    await left_behind(town, request, place(), lambda store: store.claim())
    town.sql("UPDATE runs SET document = json_set(document, '$.mode', 'dream')")
    async with town.bot() as scene:
        await scene.type(scene.people["unchanged"])
        await town.workspace.until(lambda: len(scene.ended()) == 2, within=20)

        assert any("Katherine" in read(message) for message in scene.ended())


async def test_nobody_looks_by_the_rules_of_another_configuration(town: Town) -> None:
    """The configuration of a run is gone: no other one's rights open its evidence."""
    async with town.bot() as scene:
        message = await scene.provision(scene.people["create"])
    rules = configured(town, "name: contoso", "name: other")
    async with town.bot(CONFIGURATIONS=rules) as scene:
        await town.workspace.click("U0MARIA", "details_import", message=message["ts"])
        await town.workspace.until(lambda: bool(scene.told("U0MARIA")), within=20)

        assert town.workspace.views("U0MARIA") == []
        assert "contoso" in scene.told("U0MARIA")[0]["text"]


# -- health ----------------------------------------------------------------------------------------------


async def ready(scene: Scene) -> tuple[int, dict[str, str]]:
    """Ask the bot whether it is ready."""
    url = f"http://127.0.0.1:{scene.world.bot.port}/readyz"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, (await answer.json())["checks"]


async def test_ready_means_that_every_system_answers(town: Town) -> None:
    """All is well: 200, and each system by name."""
    async with town.bot() as scene:
        status, checks = await ready(scene)

        assert status == 200
        assert checks == dict.fromkeys(("store", "directory", "tenant", "slack", "link"), "ok")


async def test_a_tenant_that_is_down_is_seen_at_once(town: Town) -> None:
    """Login and Graph are gone, the token and the domains are still kept: not ready."""
    async with town.bot() as scene:
        await town.tenant.stop()
        status, checks = await ready(scene)

        assert status == 503
        assert checks["tenant"] != "ok"
        assert checks["directory"] == "ok"


async def test_probes_take_one_directory_connection(town: Town) -> None:
    """One slow call is under way: probes wait for none of the others, and leave them free for runs."""
    async with town.bot() as scene:
        directory = scene.world.bot.systems.directories["main"]
        town.directory.faults.add(FaultKind.DELAY, seconds=2.0)
        someone = parse_identifier(scene.people["create"])
        slow = asyncio.create_task(directory.resolve(someone, ["cn"]))
        await asyncio.sleep(0.1)
        probes = [asyncio.create_task(ready(scene)) for _ in range(8)]
        await asyncio.sleep(0.2)
        await directory.resolve(someone, ["cn"])
        overtaken = not slow.done()
        answers = await asyncio.gather(*probes)
        await slow

        assert {status for status, _ in answers} == {200}
        assert overtaken


async def test_probes_do_not_load_the_systems(town: Town) -> None:
    """Twenty probes in a row ask each system at most a few times."""
    async with town.bot() as scene:
        before = len(town.tenant.requests), len(methods(scene))
        for _ in range(20):
            assert (await ready(scene))[0] == 200

        assert len(town.tenant.requests) - before[0] <= 2
        assert len(methods(scene)) - before[1] <= 2


# -- the ways out ----------------------------------------------------------------------------------------


async def test_response_urls_go_by_the_proxy(town: Town) -> None:
    """An on-premises host reaches hooks.slack.com by the proxy alone, and loopback without it."""
    asked_for: list[str] = []

    async def forward(request: web.BaseRequest) -> web.Response:
        asked_for.append(request.raw_path)
        return web.Response(text="ok")

    async with RawTestServer(forward) as proxy:
        settings = load_settings(
            {**town.workspace.settings(), "FOURCHECK_PROXY__URL": str(proxy.make_url("/"))},
            dotenv=town.folder / "none",
        )
        async with open_slack(settings.slack, settings.proxy) as slack:
            await slack.response_urls.post("http://hooks.slack.test/actions/T/1/key", {"text": "hello"})
            with pytest.raises(ResponseUrlGone):
                await slack.response_urls.post(f"{town.workspace.url}/actions/T/1/key", {"text": "hello"})

    assert asked_for == ["http://hooks.slack.test/actions/T/1/key"]


async def test_no_log_line_holds_a_response_url(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever reads the log could post as the bot with it: failures are told without the address."""
    caplog.set_level("INFO")  # below, the libraries write whole bodies, which `NoBodies` drops
    async with town.bot() as scene:
        message = await scene.provision(f"preview {scene.people['create']}")
        for then in ({"status": 500}, {"status": 404}, {"drop": True}):
            before = methods(scene).count("response_url")
            town.workspace.add_faults([{"method": "response_url", "times": 1, "then": then}])
            await town.workspace.click("U0VERA", "provision_this", message=message["ts"])
            await town.workspace.until(counted(scene, "response_url", before + 1), within=20)
        await asyncio.sleep(0.1)
    urls = [str(d["payload"].get("response_url")) for d in town.workspace.dispatches()]

    assert caplog.text.count("answer a click") >= 3
    assert [url for url in urls if url.rpartition("/")[2] in caplog.text] == []


def counted(scene: Scene, method: str, number: int) -> Callable[[], bool]:
    """Return a check of whether the bot has made this call so often."""
    return lambda: methods(scene).count(method) >= number


async def test_a_further_ca_is_a_further_one() -> None:
    """A file with the proxy's CA adds to the trusted ones and takes none away."""
    async with DirectoryServer() as server:
        usual = {ca["serialNumber"] for ca in trusted(None).get_ca_certs()}
        more = {ca["serialNumber"] for ca in trusted(server.ca_file).get_ca_certs()}

    assert len(usual) > 50
    assert usual < more
