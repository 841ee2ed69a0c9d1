"""One setting leads everything to a national cloud: sign-in, its scope, and Microsoft Graph."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.connections import graph_settings, token_settings
from bot.settings import load_settings
from pipeline.adapters.tokens import LoginClient

CLOUDS = [
    ("public", "login.microsoftonline.com", "graph.microsoft.com"),
    ("us-government", "login.microsoftonline.us", "graph.microsoft.us"),
    ("us-defense", "login.microsoftonline.us", "dod-graph.microsoft.us"),
    ("china", "login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn"),
]
ENTRA = {
    "FOURCHECK_ENTRA__TENANT_ID": "contoso.test",
    "FOURCHECK_ENTRA__CLIENT_ID": "00000000-0000-4000-8000-000000000001",
    "FOURCHECK_ENTRA__CLIENT_SECRET": "not-a-secret",
}


@pytest.mark.parametrize(("cloud", "login", "graph"), CLOUDS, ids=[row[0] for row in CLOUDS])
def test_the_setting_reaches_both_adapters(tmp_path: Path, cloud: str, login: str, graph: str) -> None:
    """Nothing is sent to a host of another cloud, and the token is asked for this cloud's Graph."""
    settings = load_settings({**ENTRA, "FOURCHECK_ENTRA__CLOUD": cloud}, tmp_path / "none")
    signing_in = token_settings(settings)
    client = LoginClient(signing_in)
    client.close()

    assert signing_in.cloud.login_host == login
    assert signing_in.cloud.scope == f"https://{graph}/.default"
    assert client._address(f"https://{login}/contoso.test") == f"https://{login}/contoso.test"
    assert graph_settings(settings).base == f"https://{graph}/v1.0"


def test_an_address_of_its_own_goes_before_the_cloud(tmp_path: Path) -> None:
    """A sandbox stands in for the Graph of any cloud."""
    more = {"FOURCHECK_ENTRA__CLOUD": "china", "FOURCHECK_ENTRA__GRAPH_URL": "http://127.0.0.1:9"}
    assert (
        graph_settings(load_settings({**ENTRA, **more}, tmp_path / "none")).base == "http://127.0.0.1:9/v1.0"
    )
