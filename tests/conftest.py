"""What every test starts from: no setting of the machine leaks in."""

from __future__ import annotations

import os

import pytest

pytest_plugins = [
    "tests.fixtures.parts",
    "tests.fixtures.chromium",
    "tests.fixtures.postgres",
    "tests.fixtures.samba.plugin",
    "tests.fixtures.scene",
]


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the product's own settings, and proxies, out of the environment."""
    for name in list(os.environ):
        if name.startswith("FOURCHECK_") or name.lower() in {"http_proxy", "https_proxy", "all_proxy"}:
            monkeypatch.delenv(name)
