"""The demo: contoso in a box, and the bot on it, over the same sockets and signatures as in production."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bot.exit_status import BAD_USAGE, DONE
from bot.settings import load_settings
from bot.stopping import until_stopped
from bot.views import Message, controls
from bot.views.plain import as_text
from bot.wiring import Bot, running_bot
from pipeline.dn import parse as parse_dn
from pipeline.errors import IdentifierMalformed
from pipeline.model import Run
from sandbox.directory import DirectoryServer
from sandbox.people import directory_entries, interesting_people, tenant_seed
from sandbox.tenant import TenantServer
from sandbox.workspace import WorkspaceServer
from sandbox.workspace.server import ACK_DEADLINE_S
from sandbox.workspace.switchboard import DIRECTORY, RemoteBoard

CHANNEL: Final = "C0IDENTITY"
USER: Final = "U0MARIA"


@dataclass(slots=True)
class Contoso:
    """The sandbox and the bot on it, both running."""

    workspace: WorkspaceServer
    tenant: TenantServer
    directory: DirectoryServer
    bot: Bot


def _sample_configurations() -> Path:
    """Return the folder of the sample configuration: the checkout's, or the installed package's copy."""
    checkout = Path(__file__).parent.parent / "configurations"
    return checkout if checkout.is_dir() else Path(__file__).parent / "configurations"


def people() -> list[dict[str, str]]:
    """Return the interesting people of contoso."""
    return [
        {"case": p.case, "identifier": p.identifier, "expected": p.expected} for p in interesting_people()
    ]


_HAPPENS: Final = {
    "create": "a user to create",
    "update-three": "a user to update",
    "ambiguous": "an ambiguous match",
    "scope-filter": "a user out of scope",
    "unchanged": "a user who is up to date",
    "manager-missing": "a user whose manager is missing",
    "scope-ou": "a user in a place out of scope",
    "synced": "a user whom the synchronisation owns",
    "upn-conflict": "a name that somebody else holds",
    "group-40": "a group of forty members",
    "contact": "a contact, which cannot be created",
}
"""What happens to the interesting people, in the order in which the page offers them."""


def suggestions() -> list[dict[str, str]]:
    """Return what the page offers after the command: what happens, to whom, and what to type."""
    order = list(_HAPPENS)
    known = sorted(interesting_people(), key=lambda p: order.index(p.case) if p.case in order else len(order))
    return [
        {
            "label": _HAPPENS.get(person.case) or f"an awkward name ({person.case.removeprefix('awkward-')})",
            "name": parse_dn(person.identifier).rdn_value.strip(),
            "text": person.identifier,
        }
        for person in known
    ]


@asynccontextmanager
async def contoso(
    port: int = 0, mode: str = "socket", ack_deadline: float = ACK_DEADLINE_S
) -> AsyncIterator[Contoso]:
    """Start the sandbox and the bot on it, with a store of its own that goes when the block ends.

    `mode` is how the workspace reaches the bot: `socket`, or `http` with signed requests. `ack_deadline` is
    how long the workspace waits for an acknowledgement, in seconds; Slack's own is three.
    """
    with tempfile.TemporaryDirectory(prefix="fourcheck-demo-") as folder:
        async with (
            TenantServer(seed=tenant_seed()) as tenant,
            DirectoryServer(entries=directory_entries()) as directory,
            _workspace(port, tenant, directory, ack_deadline) as workspace,
        ):
            given = environment(workspace, tenant, directory, Path(folder), mode)
            async with running_bot(load_settings(given, dotenv=Path(folder) / "none")) as bot:
                workspace.request_url = request_url(bot) if mode == "http" else None
                yield Contoso(workspace, tenant, directory, bot)


def _workspace(
    port: int, tenant: TenantServer, directory: DirectoryServer, ack_deadline: float
) -> WorkspaceServer:
    """Make the workspace whose page offers the interesting people, and all faults and the reset of all."""

    def put_back() -> None:
        tenant.reset()
        directory.faults.clear()

    boards = {
        "entra": RemoteBoard("Microsoft Entra", f"{tenant.url}/_sandbox"),
        "directory": RemoteBoard("Active Directory", directory.control_url, DIRECTORY),
    }
    return WorkspaceServer(
        port=port, ack_deadline=ack_deadline, suggestions=suggestions(), on_reset=put_back, boards=boards
    )


def environment(
    workspace: WorkspaceServer, tenant: TenantServer, directory: DirectoryServer, folder: Path, mode: str
) -> dict[str, str]:
    """Return the settings of a bot on these stand-ins, with its store in a folder."""
    return {
        **workspace.settings(),
        **tenant.settings(),
        **directory.settings(),
        "FOURCHECK_SLACK__MODE": mode,
        "FOURCHECK_HTTP__PORT": "0",
        "FOURCHECK_STORE__URL": f"sqlite:///{folder}/demo.db",
        "FOURCHECK_CONFIGURATIONS": str(_sample_configurations()),
    }


def request_url(bot: Bot) -> str:
    """Return where Slack posts to in http mode."""
    return f"http://127.0.0.1:{bot.port}/slack/events"


async def stay(port: int) -> int:
    """Run the demo until it is stopped; return 2 for a port that something else has."""
    if not _is_free(port):
        print(f"Port {port} is taken. Choose another one: fourcheck demo --port 8601", file=sys.stderr)
        return BAD_USAGE
    async with contoso(port) as world:
        print(f"Contoso is up: {world.workspace.url}/", flush=True)
        await until_stopped()
    return DONE


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


async def run_once(identifier: str, payloads: Path | None, *, quiet: bool) -> Run:
    """Provision one object on a fresh sandbox: signed slash command in, message out.

    `payloads` takes every call to Slack, one JSON object a line, after every View details was pressed, and in
    it every page, Why, Copy as text, filter and search.
    """
    async with contoso(mode="http") as world:
        answer = await world.workspace.command(USER, CHANNEL, identifier)
        told = answer["ack"]["body"]  # where only the person who asked is answered
        if not await world.bot.systems.store.history(limit=1):
            words = as_text(Message(told["text"], told["blocks"]), _names(world)) if told else ""
            raise IdentifierMalformed(
                f"“{identifier}” starts no run. {words}".strip(), remedy="Give what names one object."
            )
        run = await _ended_run(world)
        message = None if told else await _final_message(world)
        if not quiet:
            shown = message or told
            print(as_text(Message(shown["text"], shown["blocks"]), _names(world)))
        if payloads is not None:
            if message is not None:
                await _press_everything(world, message["ts"])
            _write_calls(world, payloads)
    return run


async def _ended_run(world: Contoso) -> Run:
    store = world.bot.systems.store
    while True:
        latest = await store.history(limit=1)
        if latest and latest[0].ended_at is not None:
            return latest[0]
        await asyncio.sleep(0.01)


async def _final_message(world: Contoso) -> dict[str, Any]:
    """Wait for the run's message to say how it ended."""

    def messages() -> list[dict[str, Any]]:
        return [m for m in world.workspace.messages(CHANNEL) if controls.RUN_AGAIN in json.dumps(m["blocks"])]

    await world.workspace.until(lambda: bool(messages()), within=30.0)
    return messages()[-1]


def _names(world: Contoso) -> dict[str, str]:
    return {user["id"]: user["real_name"] for user in world.workspace.describe()["users"]}


async def _press_everything(world: Contoso, message: str) -> None:
    """Press every View details button of a message, and in each modal all that there is to press."""
    workspace = world.workspace
    (shown,) = [m for m in workspace.messages(CHANNEL) if m["ts"] == message]
    for action in (a for a in controls.DETAILS.values() if a in json.dumps(shown["blocks"])):
        await workspace.click(USER, action, message=message)
        await workspace.until(lambda: bool(workspace.views(USER)), within=5.0)
        await _press_all_pages(workspace)
        for narrowed in (controls.FILTER, controls.FILTER):  # what changes alone, and everything again
            await _turn(workspace, narrowed)
        if _buttons(workspace, controls.SEARCH):
            await _search(workspace, "a")
            await _turn(workspace, controls.CLEAR)
        await workspace.close(USER)


async def _press_all_pages(workspace: WorkspaceServer) -> None:
    """Turn the pages of the topmost modal; on each, open what opens on top of it, page by page."""
    more = True
    while more:
        depth = len(workspace.views(USER))
        for name in (controls.SHOW_WHOLE, controls.COPY_TEXT):
            for value in _buttons(workspace, name):
                await workspace.click(USER, name, view=workspace.views(USER)[-1]["id"], value=value)
                await workspace.until(lambda: len(workspace.views(USER)) > depth, within=5.0)  # noqa: B023  # awaited here
                while await _turn(workspace, controls.PAGE_NEXT):
                    pass
                await workspace.close(USER)
        more = await _turn(workspace, controls.PAGE_NEXT)


def _buttons(workspace: WorkspaceServer, name: str) -> list[str]:
    """Return the values of the elements of this action in the topmost modal."""
    blocks = workspace.views(USER)[-1]["blocks"]
    elements = [
        e for b in blocks for e in (b.get("accessory"), b.get("element"), *b.get("elements", ())) if e
    ]
    return [str(element.get("value")) for element in elements if element.get("action_id") == name]


async def _turn(workspace: WorkspaceServer, name: str) -> bool:
    """Press a button that changes the topmost modal; return whether it was there."""
    view = workspace.views(USER)[-1]
    if not _buttons(workspace, name):
        return False
    await workspace.click(USER, name, view=view["id"])
    await workspace.until(lambda: workspace.views(USER)[-1]["hash"] != view["hash"], within=5.0)
    return True


async def _search(workspace: WorkspaceServer, wanted: str) -> None:
    view = workspace.views(USER)[-1]
    await workspace.submit(USER, view["id"], {controls.SEARCH: wanted})
    await workspace.until(lambda: workspace.views(USER)[-1]["hash"] != view["hash"], within=5.0)


def _write_calls(world: Contoso, path: Path) -> None:
    lines = [
        json.dumps({"method": call["method"], "payload": call["payload"]}, ensure_ascii=False)
        for call in world.workspace.calls()
    ]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


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
