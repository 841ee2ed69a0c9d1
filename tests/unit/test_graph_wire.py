"""Where a token may be sent, and what an installation's addresses look like."""

from __future__ import annotations

import pytest

from pipeline.adapters.graph.exchange import GraphSettings
from pipeline.adapters.graph.wire import Cloud, base_address


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://graph.example.test", id="plain http to another machine"),
        pytest.param("http://127.0.0.1.example.test", id="a name that looks like loopback"),
        pytest.param("http://10.0.0.1", id="plain http to the local network"),
        pytest.param("ftp://127.0.0.1", id="another scheme"),
        pytest.param("https://user:pw@graph.example.test", id="a user in it"),
        pytest.param("https://graph.example.test/?x=1", id="a query"),
        pytest.param("https://graph.example.test/#x", id="a fragment"),
        pytest.param("graph.example.test", id="no scheme"),
        pytest.param("https://", id="no host"),
        pytest.param("", id="nothing"),
    ],
)
def test_addresses_that_a_token_is_not_sent_to(url: str) -> None:
    """A token goes over TLS, or to this very machine."""
    with pytest.raises(ValueError, match=r"address|plain http"):
        base_address(url)
    with pytest.raises(ValueError, match=r"address|plain http"):
        GraphSettings(url)


@pytest.mark.parametrize(
    "url", ["https://graph.microsoft.com", "http://127.0.0.1:8603", "http://localhost:1", "http://[::1]:1"]
)
def test_addresses_that_are_accepted(url: str) -> None:
    """TLS anywhere; plain http on loopback, for the sandbox."""
    assert base_address(url + "/") == url


@pytest.mark.parametrize(
    "url",
    [
        "https://graph.microsoft.com",
        "https://graph.microsoft.com/",
        "https://graph.microsoft.com/v1.0",
        "https://graph.microsoft.com/v1.0/",
    ],
)
def test_the_version_is_added_once(url: str) -> None:
    """The setting names no version; a trailing one is accepted."""
    assert GraphSettings(url).base == "https://graph.microsoft.com/v1.0"


@pytest.mark.parametrize(
    ("cloud", "login", "graph"),
    [
        (Cloud.PUBLIC, "login.microsoftonline.com", "graph.microsoft.com"),
        (Cloud.US_GOVERNMENT, "login.microsoftonline.us", "graph.microsoft.us"),
        (Cloud.US_DEFENSE, "login.microsoftonline.us", "dod-graph.microsoft.us"),
        (Cloud.CHINA, "login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn"),
    ],
)
def test_one_setting_picks_the_cloud(cloud: Cloud, login: str, graph: str) -> None:
    """Both hosts and the scope follow from the cloud."""
    assert (cloud.login_host, cloud.graph_host, cloud.scope) == (login, graph, f"https://{graph}/.default")


def test_a_proxys_password_is_not_shown() -> None:
    """Settings may be logged; what can hold a password is left out."""
    settings = GraphSettings("https://graph.microsoft.com", proxy_url="http://u:canary@proxy.test:3128")
    assert "canary" not in repr(settings)
