"""How long a command takes from Slack to its last message: beside the least that it could take.

The stand-ins answer with the delays of real systems: directory 2 ms, a read of Graph 60, a write 150, Slack
80. The product and the limit (see `benchmarks.limit`) take turns in one run on the same stand-ins, each in a
process of its own, so that what counts are the ratios. Run it with `make bench`.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from sandbox.directory import DirectoryServer
from sandbox.directory.faults import FaultKind
from sandbox.people import directory_entries, tenant_seed
from sandbox.tenant import TenantServer
from sandbox.workspace import WorkspaceServer

DIRECTORY_S: Final = 0.002
READ_S: Final = 0.060
WRITE_S: Final = 0.150
SLACK_S: Final = 0.080

AT_ONCE: Final = (1, 20, 100)
ROUNDS: Final = {1: 12, 20: 3, 100: 2}
TARGETS: Final = {1: 1.03, 20: 1.2, 100: 1.7}
"""How many times the limit the product may take, at so many commands at once."""

_CHANNEL: Final = "C0IDENTITY"
_USER: Final = "U0MARIA"
_CLOCK_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass
class Measured:
    """What one contender took, at one number of commands at once; milliseconds."""

    acks: list[float] = field(default_factory=list)
    firsts: list[float] = field(default_factory=list)
    finals: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


class World:
    """The stand-ins with their delays, and the people to be updated."""

    def __init__(self, workspace: WorkspaceServer, tenant: TenantServer, directory: DirectoryServer) -> None:
        self.workspace = workspace
        self._tenant = tenant
        self._directory = directory
        self.settings = {**workspace.settings(), **tenant.settings(), **directory.settings()}

    def slow(self) -> None:
        """Give every system its delay, and the tenant its first state."""
        self._tenant.reset()
        graph = r"^/v1\.0/"
        self._tenant.inject(
            [
                _delay(["GET"], graph, READ_S),
                _delay(["POST"], r"^/v1\.0/\$batch", READ_S),
                _delay(["POST", "PATCH", "PUT", "DELETE"], graph + r"(?!\$batch)", WRITE_S),
            ]
        )
        self._directory.faults.clear()
        self._directory.faults.add(FaultKind.DELAY, operation="search", times=None, seconds=DIRECTORY_S)
        self.workspace.clear_faults()
        slow = {"times": 10**9, "then": {"delay_s": SLACK_S}}
        self.workspace.add_faults([{"method": m, **slow} for m in ("chat.postMessage", "chat.update")])


def _delay(methods: Sequence[str], path: str, seconds: float) -> dict[str, Any]:
    return {
        "match": {"method": list(methods), "path_regex": path, "part": "request"},
        "times": None,
        "then": {"delay_s": seconds},
    }


def people(number: int) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return a tenant in which so many users have another title than in AD, and each one's DN and name."""
    seed = tenant_seed()
    by_name = {user["displayName"]: user for user in seed["users"] if user.get("jobTitle")}
    chosen: list[tuple[str, str]] = []
    for entry in directory_entries():
        name = b"".join(entry.attributes.get("displayName", ())).decode()
        user = by_name.pop(name, None)
        if user is None or "OU=Corp" not in entry.dn or user.get("onPremisesSyncEnabled"):
            continue
        if entry.attributes.get("employeeType") != (b"Employee",) or not entry.attributes.get("title"):
            continue
        user["jobTitle"] = "to be corrected"
        chosen.append((entry.dn, name))
    return seed, chosen[:number]


@asynccontextmanager
async def contender(command: Sequence[str], settings: dict[str, str]) -> AsyncIterator[tuple[str, int]]:
    """Start a bot; yield where it listens and its process id."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **settings},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    if process.stdout is None or process.stdin is None:
        raise RuntimeError("a pipe is missing")
    lines: list[str] = []
    async for raw in process.stdout:
        lines.append(raw.decode())
        if "listens on " in lines[-1]:
            break
    else:
        raise RuntimeError("".join(lines))
    reading = asyncio.create_task(process.stdout.read())
    try:
        yield lines[-1].split("listens on ")[1].split()[0], process.pid
    finally:
        process.stdin.close()
        process.terminate()
        await process.wait()
        await reading


async def burst(world: World, bot: tuple[str, int], some: Sequence[tuple[str, str]], into: Measured) -> None:
    """Send a command for each of these people at once, and note when each was acknowledged and ended."""
    world.slow()
    url, pid = bot
    world.workspace.request_url = f"{url}/slack/events"
    calls = world.workspace.state.calls
    start_at, before = len(calls), _cpu(pid)
    started = time.perf_counter()

    async def send(dn: str) -> None:
        answer = await world.workspace.command(_USER, _CHANNEL, dn)
        if not answer["ok"]:
            raise RuntimeError(f"not acknowledged: {answer}")
        into.acks.append(answer["ack"]["ms"])

    sending = asyncio.gather(*(send(dn) for dn, _ in some))
    seen = start_at
    waiting = {name for _, name in some}
    told: set[str] = set()
    while waiting:
        if time.perf_counter() - started > 60:
            raise RuntimeError(f"no end for {sorted(waiting)[:5]}")
        await asyncio.sleep(0.001)
        now = (time.perf_counter() - started) * 1000
        while seen < len(calls) and calls[seen]["response"] is not None:
            text = str(calls[seen]["payload"].get("text", ""))
            seen += 1
            name = next((n for n in waiting if n in text), None)
            if name is not None and name not in told:
                told.add(name)
                into.firsts.append(now)
            if name is not None and "updated" in text:
                waiting.discard(name)
                into.finals.append(now)
    await sending
    into.cpu.append((_cpu(pid) - before) / len(some))


def _cpu(pid: int) -> float:
    """Return the processor time of a process so far, in milliseconds."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / _CLOCK_TICKS


async def measure() -> dict[int, dict[str, Measured]]:
    """Let product and limit take turns at each number of commands at once."""
    results: dict[int, dict[str, Measured]] = {
        n: {"limit": Measured(), "fourcheck": Measured()} for n in AT_ONCE
    }
    seed, chosen = people(max(AT_ONCE))
    with tempfile.TemporaryDirectory() as folder:
        async with (
            WorkspaceServer(ack_deadline=30) as workspace,
            TenantServer(seed=seed) as tenant,
            DirectoryServer(entries=directory_entries()) as directory,
        ):
            world = World(workspace, tenant, directory)
            settings = {
                **world.settings,
                "FOURCHECK_SLACK__MODE": "http",
                "FOURCHECK_HTTP__PORT": "0",
                "FOURCHECK_STORE__URL": f"sqlite:///{folder}/bench.db",
            }
            async with (
                contender([sys.executable, "-m", "benchmarks.limit"], settings) as limit,
                contender([sys.executable, "-m", "bot", "serve"], settings) as product,
            ):
                bots = {"limit": limit, "fourcheck": product}
                for bot in bots.values():  # warm: connections, caches, compiled rules
                    await burst(world, bot, chosen[:20], Measured())
                for number in AT_ONCE:
                    for turn in range(ROUNDS[number]):
                        some = chosen[turn : turn + 1] if number == 1 else chosen[:number]
                        for name, bot in bots.items():
                            await burst(world, bot, some, results[number][name])
    return results


def show(results: dict[int, dict[str, Measured]]) -> None:
    """Print the figures; what was asked for beside what was reached."""
    table = Table(
        "at once", "contender", "ack p50", "first p50", "final p50", "worst", "CPU", "x limit", "target"
    )
    for number, each in results.items():
        base = statistics.median(each["limit"].finals)
        for name, found in each.items():
            final = statistics.median(found.finals)
            ours = name == "fourcheck"
            table.add_row(
                str(number),
                name,
                f"{statistics.median(found.acks):.1f}",
                f"{statistics.median(found.firsts):.0f}",
                f"{final:.0f}",
                f"{max(found.finals):.0f}",
                f"{statistics.median(found.cpu):.1f}",
                f"{final / base:.2f}",
                f"{TARGETS[number]:.2f}" if ours else "",
            )
    Console().print("From the command to its last message: medians in milliseconds", table)


if __name__ == "__main__":
    show(asyncio.run(measure()))
