"""Several bots on one PostgreSQL, and a bot that is stopped, frozen, poisoned: one effect, one end."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest

from bot.views.plain import blocks_as_text
from pipeline.model import Outcome
from tests.chaos.city import LEASE_S, City

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("chaos on PostgreSQL")]

CREATED = ["POST users", "PUT users/manager/$ref"]


async def test_the_same_delivery_five_times_is_one_run(server_city: City) -> None:
    """Slack delivers a command five times, over two replicas: one run, one message, one user."""
    city = server_city
    await city.living()
    other = await city.started()
    city.reset()
    assert (await city.type(city.people["create"]))["ok"]
    for _ in range(4):
        await city.workspace.links("repeat")
    await city.until_ended()
    await city.until_settled()
    await asyncio.sleep(0.2)
    assert sorted(city.effects()) == CREATED
    assert len(city.posted()) == 1
    other.kill()
    await other.ended()


async def test_one_object_is_one_runs_at_a_time(server_city: City) -> None:
    """Twenty ask for one object over two replicas: one writes, nineteen are told by whom and since."""
    city = server_city
    await city.living()
    other = await city.started()
    city.reset()

    async def until_the_others_know(number: int) -> None:
        if number == 1:
            await city.until_ended(19)

    city.tenant.before = until_the_others_know
    await asyncio.gather(*(city.type(city.people["create"]) for _ in range(20)))
    await city.until_ended(20)
    await city.until_settled()
    runs = [run for run, _ in await city.runs(20)]
    assert sorted(city.effects()) == CREATED
    assert len(city.posted()) == 20
    (writer,) = [run for run in runs if run.outcome is Outcome.CREATED]
    others = [run.error for run in runs if run is not writer]
    assert {error.code for error in others if error is not None} == {"object_busy"}
    assert {error.ids["holder-run"] for error in others if error is not None} == {writer.run_id}
    busy = [said for m in city.ended() if "created" not in (said := blocks_as_text(m["blocks"]))]
    assert len(busy) == 19
    assert all("@U0MARIA" in said and "since" in said for said in busy)
    assert min(process.passed("begun") for process in city.processes if process.lives) > 0
    other.kill()
    await other.ended()


async def test_a_frozen_process_writes_no_more_when_it_wakes(server_city: City) -> None:
    """SIGSTOP for longer than the lease, before the creation: another one creates, the first then nothing."""
    city = server_city
    frozen = await city.living()
    city.reset()
    city.wish("intent.after", how="SIGSTOP")
    await city.type(city.people["create"])
    await city.until(lambda: frozen.passed("intent.after") > 0 and is_stopped(frozen.pid))
    city.wish_no_more()
    await city.started()
    await city.until_ended()
    frozen.send(signal.SIGCONT)
    await asyncio.sleep(0.5)
    await city.until_settled()
    assert sorted(city.effects()) == CREATED, blocks_as_text(city.ended()[0]["blocks"])
    sent = [write["path"] for write in city.tenant.ledger if write["method"] == "POST"]
    assert len(sent) == 1, "what was frozen sent it as well"
    assert len(city.ended()) == 1
    frozen.kill()
    await frozen.ended()


def is_stopped(pid: int) -> bool:
    """Whether a process is frozen."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:  # noqa: PTH123  # a file of the kernel
        return stat.read().rpartition(")")[2].split()[0] == "T"


async def test_a_run_that_ends_three_processes_is_set_aside(file_city: City) -> None:
    """The fourth process does not try it again, says so, and carries the next command out."""
    city = file_city
    await city.living()
    city.reset()
    city.wish("stage.begun", 2)
    typing = asyncio.create_task(city.type(city.people["create"]))
    for _ in range(3):
        assert await city.latest.ended() == -signal.SIGKILL
        city.start()
    await city.until_ended()
    assert (await typing)["ok"]
    said = blocks_as_text(city.ended()[0]["blocks"])
    assert "ended 3 times during this run and set it aside; nothing was written" in said
    assert city.effects() == []
    city.wish_no_more()
    await city.type(city.people["update-three"])
    await city.until_ended(2)
    assert city.effects() == ["PATCH users"]


async def test_a_stop_in_the_middle_of_a_write_loses_nothing(file_city: City) -> None:
    """SIGTERM while the creation is under way: it finishes within the grace, and is told."""
    city = file_city
    process = await city.living()
    city.reset()
    city.tenant.inject({"match": {"method": "POST", "path_regex": "/users$"}, "then": {"delay_s": 0.6}})
    await city.type(city.people["create"])
    await city.until(lambda: process.passed("write.before") > 0)
    began = time.monotonic()
    process.send(signal.SIGTERM)
    assert await process.ended() == 0
    assert time.monotonic() - began < 3 + LEASE_S
    assert sorted(city.effects()) == CREATED
    city.start()
    await city.until_ended()
    await city.until_settled()
    assert len(city.posted()) == 1
    assert sorted(city.effects()) == CREATED


async def test_a_stop_beyond_the_grace_is_gone_on_with(file_city: City) -> None:
    """What does not finish within the grace is put back, and the next process finishes it."""
    city = file_city
    (await city.living()).kill()
    await city.latest.ended()
    process = await city.started(RUNS__GRACE_S="0.3")
    city.reset()
    city.directory.faults.clear()
    city.tenant.inject({"match": {"path_regex": "batch"}, "then": {"delay_s": 2.0}})
    await city.type(city.people["create"])
    await city.until(lambda: process.passed("stage.begun") >= 3)
    process.send(signal.SIGTERM)
    assert await process.ended() == 0
    assert process.passed("put_back") == 1
    assert city.effects() == []
    city.start()
    await city.until_ended()
    await city.until_settled()
    assert sorted(city.effects()) == CREATED
    assert len(city.posted()) == 1


async def test_slack_away_while_the_bot_dies(file_city: City) -> None:
    """Slack takes no update, the process is killed: the end still comes."""
    city = file_city
    process = await city.living()
    city.reset()
    city.workspace.add_faults([{"method": "chat.update", "times": 3, "then": {"status": 503}}])
    await city.type(city.people["create"])
    await city.until(lambda: process.passed("update.before") > 0)
    process.kill()
    await process.ended()
    city.start()
    await city.until_ended()
    await city.until_settled()
    assert len(city.posted()) == 1
    assert sorted(city.effects()) == CREATED


async def test_a_throttle_storm_outlives_the_process(file_city: City) -> None:
    """429 on each write, a kill while it waits: the next one waits in its turn; one user."""
    city = file_city
    process = await city.living()
    city.reset()
    storm = {"status": 429, "retry_after": {"form": "seconds", "seconds": 1}}
    match = {"method": ["POST", "PUT"], "path_regex": "/users"}
    city.tenant.inject({"match": match, "times": 3, "then": storm})
    await city.type(city.people["create"])
    await city.until(lambda: any(w["status"] == 429 for w in city.tenant.ledger))
    process.kill()
    await process.ended()
    city.start()
    await city.until_ended()
    await city.until_settled()
    assert sorted(city.effects()) == CREATED
    assert len(city.posted()) == 1


@pytest.mark.parametrize(
    "cases", [("create",), ("create", "update-three", "unchanged")], ids=["one", "several"]
)
async def test_a_message_that_nobody_noted_is_corrected_by_a_click(
    file_city: City, cases: tuple[str, ...]
) -> None:
    """Slack took it in the moment of the kill, so it offers to cancel what has ended: who tries is shown."""
    city = file_city
    await city.living()
    city.reset()
    city.wish("post.after")
    typing = asyncio.create_task(city.type("\n".join(city.people[case] for case in cases)))
    assert await city.latest.ended() == -signal.SIGKILL
    city.wish_no_more()
    await city.started()
    assert (await typing)["ok"]
    (final,) = await city.until_ended()
    await city.until_settled()
    (stale,) = city.unnoted()
    assert "cancel" in str(stale["blocks"])

    action = "cancel_run" if len(cases) == 1 else "cancel_all"
    await city.workspace.click("U0MARIA", action, message=stale["ts"])

    await city.until_ended(2)
    (corrected,) = city.unnoted()
    assert blocks_as_text(corrected["blocks"]) == blocks_as_text(final["blocks"])
