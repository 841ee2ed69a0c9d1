"""The demo: contoso in a box, and the bot on it, over the same sockets and signatures as in production."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bot.cli import until_stopped
from bot.settings import load_settings
from bot.views.limits import Message
from bot.views.plain import as_text
from bot.wiring import Bot, running_bot
from pipeline.ids import RunId
from pipeline.model import Run
from sandbox.directory import DirectoryServer
from sandbox.people import directory_entries, interesting_people, tenant_seed
from sandbox.tenant import TenantServer
from sandbox.workspace import WorkspaceServer

CHANNEL: Final = "C0IDENTITY"
USER: Final = "U0MARIA"
CONFIGURATIONS: Final = Path(__file__).parent.parent / "configurations"


@dataclass(slots=True)
class Contoso:
    """The sandbox and the bot on it, both running."""

    workspace: WorkspaceServer
    tenant: TenantServer
    directory: DirectoryServer
    bot: Bot


def people() -> list[dict[str, str]]:
    """Return the interesting people of contoso."""
    return [
        {"case": p.case, "identifier": p.identifier, "expected": p.expected} for p in interesting_people()
    ]


@asynccontextmanager
async def contoso(port: int = 0) -> AsyncIterator[Contoso]:
    """Start the sandbox and the bot on it, with a store of its own that goes when the block ends."""
    with tempfile.TemporaryDirectory(prefix="fourcheck-demo-") as folder:
        async with (
            WorkspaceServer(port=port) as workspace,
            TenantServer(seed=tenant_seed()) as tenant,
            DirectoryServer(entries=directory_entries()) as directory,
        ):
            environment = {
                **workspace.settings(),
                **tenant.settings(),
                **directory.settings(),
                "FOURCHECK_SLACK__MODE": "http",
                "FOURCHECK_HTTP__PORT": "0",
                "FOURCHECK_STORE__URL": f"sqlite:///{folder}/demo.db",
                "FOURCHECK_CONFIGURATIONS": str(CONFIGURATIONS),
            }
            async with running_bot(load_settings(environment, dotenv=Path(folder) / "none")) as bot:
                workspace.request_url = f"http://127.0.0.1:{bot.port}/slack/events"
                yield Contoso(workspace, tenant, directory, bot)


async def stay(port: int) -> int:
    """Run the demo until it is stopped."""
    async with contoso(port) as world:
        print(f"Contoso is up. Slack workspace: {world.workspace.url}", flush=True)
        await until_stopped()
    return 0


async def run_once(identifier: str, payloads: Path | None, *, quiet: bool) -> Run:
    """Provision one object on a fresh sandbox: signed slash command in, message out."""
    async with contoso() as world:
        answer = await world.workspace.command(USER, CHANNEL, identifier)
        run = await _ended_run(world)
        if not quiet:
            _print_what_is_seen(world, answer)
        if payloads is not None:
            await _press_everything(world)
            calls = world.workspace.calls()
            lines = (
                json.dumps({"method": c["method"], "payload": c["payload"]}, ensure_ascii=False)
                for c in calls
            )
            payloads.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return run


async def _ended_run(world: Contoso) -> Run:
    """Wait until the one run has ended and its message, if it has one, says so."""
    store = world.bot.systems.store
    while True:
        (latest,) = await store.history(limit=1) or (None,)
        if latest is not None and latest.ended_at is not None:
            break
        await asyncio.sleep(0.02)
    for _ in range(500):
        notice = await store.notice(latest.run_id)
        shown = _message(world)
        if (notice or {}).get("ts") is None or (shown and "View details" in json.dumps(shown["blocks"])):
            if shown is None or shown.get("text") and _final(shown, latest.run_id):
                break
        await asyncio.sleep(0.02)
    return latest


def _final(message: dict[str, Any], run_id: RunId) -> bool:
    return "run_again" in json.dumps(message["blocks"]) and run_id in json.dumps(message["blocks"])


def _message(world: Contoso) -> dict[str, Any] | None:
    messages = [m for m in world.workspace.messages(CHANNEL) if m.get("blocks")]
    return messages[-1] if messages else None


def _print_what_is_seen(world: Contoso, answer: dict[str, Any]) -> None:
    message = _message(world)
    if message is not None:
        print(as_text(Message(message["text"], message["blocks"])))
    else:
        print(json.dumps(answer, ensure_ascii=False, indent=2))


async def _press_everything(world: Contoso) -> None:
    """Press every View details button, and in each modal every next page, whole value and back."""
    raise NotImplementedError


async def stand_in(part: str, port: int, request_url: str | None) -> None:
    """Run one stand-in alone; print the settings that point the bot at it, then `ready`."""
    server: WorkspaceServer | TenantServer | DirectoryServer
    if part == "workspace":
        server = WorkspaceServer(port=port, request_url=request_url)
    elif part == "tenant":
        server = TenantServer(port=port, seed=tenant_seed())
    else:
        server = DirectoryServer(port=port, entries=directory_entries())
    async with server:
        for name, value in server.settings().items():
            print(f"{name}={value}", flush=True)
        print("ready", flush=True)
        await until_stopped()
