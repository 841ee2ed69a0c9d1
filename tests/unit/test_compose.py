"""The compose file runs what the product has: settings that exist, a store it takes, enough time to stop."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.settings import load_settings
from bot.wiring import GRACE_S
from pipeline.runs.postgres import OLDEST

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """Return the compose file, its anchors resolved."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return found


def bots(compose: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the services that are the bot."""
    return [service for service in compose["services"].values() if service.get("build") == "."]


def environment_of(bot: dict[str, Any]) -> dict[str, str]:
    """Return what a container's process sees: the image's environment, and over it the service's."""
    last_stage = (ROOT / "Dockerfile").read_text(encoding="utf-8").rpartition("FROM ")[2]
    image = dict(re.findall(r"(FOURCHECK_\w+)=(\S+)", last_stage))
    return {**image, **bot["environment"]}


def test_two_bots_share_one_database(compose: dict[str, Any]) -> None:
    """Two replicas that read one address of the store, on a PostgreSQL that is new enough."""
    addresses = {bot["environment"]["FOURCHECK_STORE__URL_FILE"] for bot in bots(compose)}
    image = compose["services"]["database"]["image"]

    assert len(bots(compose)) == 2
    assert addresses == {"/run/secrets/store_url"}
    assert int(image.partition(":")[2]) >= OLDEST


def test_the_settings_are_there(compose: dict[str, Any], tmp_path: Path) -> None:
    """Each name is a setting, and the address in the secret is one that the store takes."""
    secret = tmp_path / "store_url"
    secret.write_text("postgresql://fourcheck:PASSWORD@database/fourcheck\n", encoding="utf-8")
    for bot in bots(compose):
        given = environment_of(bot) | {"FOURCHECK_STORE__URL_FILE": str(secret)}
        settings = load_settings(given, dotenv=tmp_path / "none")
        assert settings.store.url.get_secret_value().startswith("postgresql://")
        assert settings.http.port == 3000
        assert "PASSWORD" not in repr(settings)


def test_there_is_time_to_stop(compose: dict[str, Any], tmp_path: Path) -> None:
    """What stops a container waits for longer than runs and messages may take to end."""
    for bot in bots(compose):
        given = {k: v for k, v in bot["environment"].items() if not k.endswith("_FILE")}
        grace = load_settings(given, dotenv=tmp_path / "none").runs.grace_s
        assert int(bot["stop_grace_period"].removesuffix("s")) > grace + GRACE_S


def test_secrets_and_folders_are_declared(compose: dict[str, Any]) -> None:
    """Every secret a service reads is declared, and a bot writes nowhere but to memory."""
    for service in compose["services"].values():
        assert set(service["secrets"]) <= set(compose["secrets"])
    assert all(bot["read_only"] and "/data" in bot["tmpfs"] for bot in bots(compose))
