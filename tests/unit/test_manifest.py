"""The Slack app's manifest: what it asks for is what the code uses, each with its reason."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.doctor import OPTIONAL_SCOPES, SCOPES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "manifest.yml").read_text(encoding="utf-8")
MANIFEST: dict[str, Any] = yaml.safe_load(TEXT)
CODE = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "bot").rglob("*.py")))

NEEDED_BY = {
    # scope: a call of the code that needs it (Slack, pages of the methods)
    "commands": r"app\.command\(",
    "chat:write": r"\.chat_postMessage\(",
    "chat:write.public": r"\.chat_postMessage\(",
}
FREE = {
    *("auth_test", "apps_connections_open", "chat_postMessage", "chat_update"),
    *("views_open", "views_push", "views_update"),
}
"""Methods that need no scope beyond those above (apps.connections.open goes by the app token's own)."""


def test_the_scopes_are_those_that_the_code_needs() -> None:
    """No scope too few and none too many."""
    assert set(MANIFEST["oauth_config"]["scopes"]["bot"]) == set(NEEDED_BY)
    for scope, pattern in NEEDED_BY.items():
        assert re.search(pattern, CODE), scope


def test_the_doctor_asks_for_the_scopes_of_the_manifest() -> None:
    """What is called missing or excess is measured by what an administrator installs."""
    assert set(SCOPES) == set(MANIFEST["oauth_config"]["scopes"]["bot"])
    reading = {"channels:read", "groups:read"}  # what only the doctor's own questions take
    assert OPTIONAL_SCOPES - set(SCOPES) == reading


def test_no_call_needs_a_scope_that_is_not_asked_for() -> None:
    """Every Web API method that the code calls is covered by the scopes above."""
    called = set(re.findall(r"\b(?:_?client|opener)\.([a-z]+_[A-Za-z_]+)\(", CODE))
    methods = {
        name for name in called if name.partition("_")[0] in {"auth", "views", "chat", "apps", "users"}
    }

    assert methods <= FREE
    assert {"chat_postMessage", "chat_update", "views_open"} <= methods


def test_every_scope_says_why() -> None:
    """An administrator who approves the app reads a reason beside each scope."""
    for scope in NEEDED_BY:
        assert re.search(rf"- {re.escape(scope)} +# \S+", TEXT), scope


LIMITS = [
    # Slack, app manifest reference
    (("display_information", "name"), 35),
    (("display_information", "description"), 140),
    (("features", "bot_user", "display_name"), 80),
]


@pytest.mark.parametrize(("path", "longest"), LIMITS)
def test_texts_fit(path: tuple[str, ...], longest: int) -> None:
    """Slack refuses a manifest whose texts are too long."""
    value: Any = MANIFEST
    for key in path:
        value = value[key]

    assert 0 < len(value) <= longest


def test_the_command_is_the_one_that_is_listened_to() -> None:
    """The manifest registers exactly the commands that have a listener."""
    registered = [command["command"] for command in MANIFEST["features"]["slash_commands"]]

    assert registered == re.findall(r'app\.command\("([^"]+)"\)', CODE)
    assert MANIFEST["settings"]["socket_mode_enabled"] is True
    assert MANIFEST["settings"]["interactivity"]["is_enabled"] is True
