"""Settings: read from the environment, strictly, with a sentence for each wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.connections import graph_settings
from bot.settings import SettingsError, load_settings
from pipeline.adapters.graph import Cloud

NOWHERE = Path("no-such-file")
NAMES = (
    "SLACK__BOT_TOKEN", "SLACK__APP_TOKEN", "SLACK__SIGNING_SECRET", "SLACK__MODE", "SLACK__API_URL",
    "SLACK__CA_FILE", "SLACK__TEAM_IDS", "HTTP__HOST", "HTTP__PORT", "DIRECTORY__URLS", "DIRECTORY__BIND_DN",
    "DIRECTORY__BIND_PASSWORD", "DIRECTORY__BASE_DN", "DIRECTORY__CA_FILE", "DIRECTORY__ALLOW_PLAINTEXT",
    "DIRECTORIES__EMEA__URLS", "ENTRA__TENANT_ID", "ENTRA__CLIENT_ID", "ENTRA__CLIENT_SECRET",
    "ENTRA__CLIENT_CERTIFICATE", "ENTRA__CLIENT_CERTIFICATE_PASSWORD", "ENTRA__FEDERATED_TOKEN_FILE",
    "ENTRA__WRITES", "ENTRA__CLOUD", "ENTRA__GRAPH_URL", "ENTRA__LOGIN_URL", "ENTRA__CA_FILE", "PROXY__URL",
    "PROXY__EXCEPT", "STORE__URL", "STORE__RETENTION_DAYS", "CONFIGURATIONS",
)  # fmt: skip
VALUES = {
    "SLACK__MODE": "http",
    "SLACK__API_URL": "http://127.0.0.1:1/api/",
    "HTTP__PORT": "3001",
    "DIRECTORY__ALLOW_PLAINTEXT": "true",
    "ENTRA__WRITES": "on",
    "ENTRA__CLOUD": "public",
    "ENTRA__GRAPH_URL": "http://localhost:1",
    "ENTRA__LOGIN_URL": "https://login.example.com",
    "STORE__RETENTION_DAYS": "7",
    "STORE__URL": "sqlite:////data/fourcheck.db",
}


def settings(**given: str) -> object:
    """Load settings from these names, without their prefix."""
    return load_settings({f"FOURCHECK_{name}": value for name, value in given.items()}, NOWHERE)


@pytest.mark.parametrize("name", NAMES)
def test_every_promised_name_is_taken(name: str) -> None:
    """People's scripts set these names; none may disappear."""
    settings(**{name: VALUES.get(name, "x")})


def test_writing_is_off_until_switched_on() -> None:
    """A new installation previews everything and writes nothing."""
    assert load_settings({}, NOWHERE).entra.writes == "off"
    assert load_settings({}, NOWHERE).slack.mode == "socket"


BAD = [
    ("SLAK__BOT_TOKEN", "x", "there is no such setting", "a misspelt section"),
    ("SLACK__BOT_TOKN", "x", "there is no such setting", "a misspelt name"),
    ("HTTP__PORT", "many", "valid integer", "a port that is no number"),
    ("SLACK__API_URL", "http://slack.example.com/api", "loopback only", "plain http to somewhere"),
    ("ENTRA__GRAPH_URL", "http://127.evil.example.com", "loopback only", "a name that looks like loopback"),
    ("ENTRA__CLOUD", "usgov", "us-government", "a cloud by another spelling"),
    ("ENTRA__GRAPH_URL", "graph.microsoft.com", "https://", "an address without a scheme"),
    ("ENTRA__WRITES", "maybe", "'off' or 'on'", "neither on nor off"),
    ("STORE__URL", "data.db", "sqlite:///", "a store that is no address"),
    ("STORE__RETENTION_DAYS", "0", "greater than or equal to 1", "keeping nothing"),
]


@pytest.mark.parametrize(("name", "value", "words", "reason"), BAD, ids=[row[3] for row in BAD])
def test_a_wrong_setting_is_named(name: str, value: str, words: str, reason: str) -> None:
    """The message names the setting as it is set, and says what is wrong with it."""
    with pytest.raises(SettingsError) as caught:
        settings(**{name: value})

    assert f"FOURCHECK_{name}" in str(caught.value), reason
    assert words in str(caught.value)


@pytest.mark.parametrize("cloud", list(Cloud))
def test_every_cloud_can_be_configured(cloud: Cloud) -> None:
    """The clouds that can be named are those that the adapter knows, to the letter."""
    chosen = load_settings({"FOURCHECK_ENTRA__CLOUD": str(cloud)}, NOWHERE).entra.cloud

    assert Cloud(chosen) is cloud
    assert (
        f"https://{Cloud(chosen).graph_host}"
        == graph_settings(load_settings({"FOURCHECK_ENTRA__CLOUD": str(cloud)}, NOWHERE)).url
    )


def test_lists_come_as_json_or_with_commas() -> None:
    """Both ways of writing a list give the same."""
    commas = load_settings({"FOURCHECK_DIRECTORY__URLS": "ldaps://a, ldaps://b"}, NOWHERE)
    array = load_settings({"FOURCHECK_DIRECTORY__URLS": '["ldaps://a", "ldaps://b"]'}, NOWHERE)

    assert commas.directory.urls == array.directory.urls == ("ldaps://a", "ldaps://b")


WAYS = [
    ("https://graph.microsoft.com/v1.0", "http://proxy:8080", "the cloud goes by the proxy"),
    ("http://127.0.0.1:8600/api", None, "loopback never does"),
    ("https://dc1.example.com", None, "a host that is excepted"),
    ("https://a.b.corp.test", None, "a host below an excepted domain"),
    ("https://corp.test.evil.com", "http://proxy:8080", "a host that only looks like it"),
    ("http://127.evil.example.com", "http://proxy:8080", "a name that only looks like loopback"),
    ("https://hooks.slack.com/actions/T/1/x", "http://proxy:8080", "a response URL"),
]


@pytest.mark.parametrize(("url", "way", "reason"), WAYS, ids=[row[2] for row in WAYS])
def test_the_proxy_is_taken_where_it_should(url: str, way: str | None, reason: str) -> None:
    """Each address goes by the proxy unless it is loopback or excepted."""
    given = {
        "FOURCHECK_PROXY__URL": "http://proxy:8080",
        "FOURCHECK_PROXY__EXCEPT": "dc1.example.com, .corp.test",
    }

    assert load_settings(given, NOWHERE).proxy.way_to(url) == way, reason


def test_a_secret_can_come_from_a_file(tmp_path: Path) -> None:
    """Each secret has a `_FILE` variant, for a secret store that mounts files; both at once is an error."""
    file = tmp_path / "password"
    file.write_text("s3cret\n", encoding="utf-8")
    given = {"FOURCHECK_DIRECTORY__BIND_PASSWORD_FILE": str(file)}

    assert load_settings(given, NOWHERE).directory.bind_password.get_secret_value() == "s3cret"
    with pytest.raises(SettingsError, match="not both"):
        load_settings({**given, "FOURCHECK_DIRECTORY__BIND_PASSWORD": "x"}, NOWHERE)
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings({"FOURCHECK_ENTRA__CLIENT_SECRET_FILE": str(tmp_path / "none")}, NOWHERE)


def test_secrets_do_not_show() -> None:
    """Printing the settings, in a log or a traceback, prints no secret."""
    names = ("SLACK__BOT_TOKEN", "SLACK__SIGNING_SECRET", "DIRECTORY__BIND_PASSWORD", "ENTRA__CLIENT_SECRET")

    assert "canary" not in repr(settings(**dict.fromkeys(names, "canary")))


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """A `.env` file gives what the environment leaves open, and may hold other programs' names."""
    file = tmp_path / ".env"
    file.write_text("FOURCHECK_HTTP__PORT=3001\nFOURCHECK_HTTP__HOST=127.0.0.2\nOTHER=1\n", encoding="utf-8")
    loaded = load_settings({"FOURCHECK_HTTP__PORT": "3002"}, file)

    assert (loaded.http.port, loaded.http.host) == (3002, "127.0.0.2")
