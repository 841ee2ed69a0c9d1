"""The whole bot against a real Active Directory; only Slack and the tenant are sandboxes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.demo import Contoso, environment
from bot.settings import load_settings
from bot.wiring import running_bot
from sandbox.directory import DirectoryServer
from sandbox.people import directory_entries, tenant_seed
from sandbox.tenant import TenantServer
from sandbox.workspace import WorkspaceServer
from tests.fixtures.samba.domain_controller import SambaDomainController
from tests.fixtures.scene import Scene


@asynccontextmanager
async def bot_on(directory: Mapping[str, str], folder: Path) -> AsyncIterator[Scene]:
    """Run the bot with its directory settings replaced by those of another directory."""
    async with (
        WorkspaceServer() as workspace,
        TenantServer(seed=tenant_seed()) as tenant,
        DirectoryServer(entries=directory_entries()) as unused,
    ):
        given = {**environment(workspace, tenant, unused, folder, "socket"), **directory}
        async with running_bot(load_settings(given, dotenv=folder / "none")) as bot:
            yield Scene(Contoso(workspace, tenant, unused, bot))


@pytest.fixture
async def samba_scene(samba: SambaDomainController, tmp_path: Path) -> AsyncIterator[Scene]:
    """Give the whole bot on the real domain controller, with a fresh tenant and a fresh store."""
    async with bot_on(samba.settings(), tmp_path) as scene:
        yield scene
