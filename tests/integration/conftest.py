"""The whole bot against a real Active Directory; only Slack and the tenant are sandboxes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fixtures.samba.domain_controller import SambaDomainController
from tests.fixtures.scene import Scene, scene_with


@pytest.fixture
async def samba_scene(samba: SambaDomainController, tmp_path: Path) -> AsyncIterator[Scene]:
    """Give the whole bot on the real domain controller, with a fresh tenant and a fresh store."""
    folder = tmp_path / "samba"
    folder.mkdir()
    async with scene_with(samba.settings(), folder) as scene:
        yield scene
