"""The settings: environment and `.env`, prefix FOURCHECK_, nested by `__`, `_FILE` for every secret.

This module alone reads the environment. Unknown names are an error, because a misspelt one would be silence.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX: Final = "FOURCHECK_"


class SettingsError(Exception):
    """The settings are wrong; the message has one line for each of them."""


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme == "https" and parts.hostname:
        return value.rstrip("/")
    if parts.scheme == "http" and parts.hostname and _is_loopback(parts.hostname):
        return value.rstrip("/")
    raise ValueError("must be an https:// address (plain http is taken for loopback only)")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, and whoever owns it decides where it leads
        return False


def _cloud(value: str) -> str:
    """Check against the one list of clouds, the adapter's, which is loaded only when one is named."""
    from pipeline.adapters.graph.wire import Cloud  # noqa: PLC0415  # most commands need no Graph

    names = [str(cloud) for cloud in Cloud]
    if value not in names:
        raise ValueError(f"must be one of {', '.join(names)}")
    return value


Texts = Annotated[tuple[str, ...], BeforeValidator(_split)]
Url = Annotated[str, AfterValidator(_url)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SlackSettings(_Section):
    """The Slack workspace."""

    bot_token: SecretStr | None = Field(None, description="xoxb-…, from OAuth & Permissions")
    app_token: SecretStr | None = Field(None, description="xapp-…, with connections:write, for Socket Mode")
    signing_secret: SecretStr | None = Field(None, description="From Basic Information; needed in http mode")
    mode: Literal["socket", "http"] = Field("socket", description="How Slack reaches the bot")
    api_url: Url = Field("https://slack.com/api", description="The Web API; another one for tests only")
    ca_file: Path | None = Field(None, description="A further CA, for a proxy that inspects TLS")
    team_ids: Texts = Field((), description="The workspaces served; none named: the bot token's own")


class HttpSettings(_Section):
    """The bot's own HTTP server: health in both modes, Slack's requests in http mode."""

    host: str = Field("127.0.0.1", description="The address to listen on")
    port: int = Field(3000, ge=0, le=65535, description="The port to listen on")


class DirectorySettings(_Section):
    """One Active Directory domain."""

    urls: Texts = Field((), description="ldaps://dc1.example.com, or ldap:// with StartTLS; tried in order")
    bind_dn: str = Field("", description="The bot's account: a DN or a userPrincipalName")
    bind_password: SecretStr = Field(SecretStr(""), description="Its password")
    base_dn: str = Field("", description="Where searches begin, such as DC=example,DC=com")
    ca_file: Path | None = Field(None, description="The CA that issued the controllers' certificates")
    allow_plaintext: bool = Field(default=False, description="Lab only: no TLS; every message says so")


class EntraSettings(_Section):
    """The Entra tenant and the app registration that the bot signs in as."""

    tenant_id: str = Field("", description="The directory (tenant) id")
    client_id: str = Field("", description="The application (client) id")
    client_secret: SecretStr | None = Field(None, description="A client secret, or one of the next two")
    client_certificate: Path | None = Field(None, description="A PEM or PFX file with its private key")
    client_certificate_password: SecretStr | None = Field(None, description="The certificate file's password")
    federated_token_file: Path | None = Field(None, description="A projected token of a workload identity")
    writes: Literal["off", "on"] = Field("off", description="Whether anything is ever written to the tenant")
    cloud: Annotated[str, AfterValidator(_cloud)] = Field(
        "public", description="Which Microsoft cloud: public, us-government, us-defense or china"
    )
    graph_url: Url | None = Field(None, description="Microsoft Graph, without a version; for tests")
    login_url: Url | None = Field(None, description="Where sign-in requests go instead; for tests")
    ca_file: Path | None = Field(None, description="A further CA, for a proxy that inspects TLS")


class ProxySettings(_Section):
    """The way out, where there is no direct one."""

    url: str | None = Field(None, description="http://proxy.example.com:8080")
    except_: Texts = Field((), alias="except", description="Hosts that are reached without it")

    def way_to(self, url: str) -> str | None:
        """Return the proxy to take to this address, or None for a direct way.

        Loopback is always direct; `except` names hosts, or domains by a leading dot.
        """
        host = (urlsplit(url).hostname or "").casefold()
        direct = _is_loopback(host) or any(
            host == name.casefold() or (name.startswith(".") and host.endswith(name.casefold()))
            for name in self.except_
        )
        return None if direct else self.url


def _default_store() -> SecretStr:
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return SecretStr(f"sqlite:///{base}/fourcheck/fourcheck.db")


def _store_url(value: SecretStr) -> SecretStr:
    url = value.get_secret_value()
    file = url.startswith("sqlite:///") and url != "sqlite:///"
    if not file and not re.fullmatch(r"postgres(ql(\+psycopg)?)?://[^/]*/[^/?]+(\?.*)?", url):
        raise ValueError("must be sqlite:/// and the path of a file, or postgresql://USER@HOST/DATABASE")
    return value


class StoreSettings(_Section):
    """Where runs are kept."""

    url: Annotated[SecretStr, AfterValidator(_store_url)] = Field(
        default_factory=_default_store,
        description="sqlite:///PATH, or postgresql://USER:PASSWORD@HOST/DATABASE for several processes",
    )
    retention_days: int = Field(90, ge=1, description="How long runs are kept")


class RunsSettings(_Section):
    """How runs are executed."""

    at_once: int = Field(100, ge=1, le=1000, description="How many runs a process executes at a time")
    lease_s: float = Field(
        10.0, ge=1, le=300, description="After how many seconds without a word others take its runs over"
    )
    grace_s: float = Field(
        20.0, ge=0, le=3600, description="How many seconds runs have to end when the process is told to stop"
    )
    limit_s: float = Field(600.0, gt=0, description="How many seconds a run may take")
    stage_limit_s: float = Field(300.0, gt=0, description="How many seconds one of its stages may take")
    uncertain_s: float = Field(
        35.0, ge=0, description="How many seconds a request may take effect after its process has gone"
    )


class Settings(BaseSettings):
    """Everything the process is told from outside."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    slack: SlackSettings = SlackSettings()
    http: HttpSettings = HttpSettings()
    directory: DirectorySettings = DirectorySettings()
    directories: dict[str, DirectorySettings] = {}
    entra: EntraSettings = EntraSettings()
    proxy: ProxySettings = ProxySettings()
    store: StoreSettings = Field(default_factory=StoreSettings)
    runs: RunsSettings = RunsSettings()
    configurations: Path = Field(Path("configurations"), description="The folder of the configurations")

    @property
    def every_directory(self) -> dict[str, DirectorySettings]:
        """The directories by name; the first one is `main`."""
        return {"main": self.directory, **self.directories}

    @property
    def reads_plaintext(self) -> bool:
        """Whether any directory is read without encryption, which every message has to say."""
        return any(section.allow_plaintext for section in self.every_directory.values())

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read nothing but what is passed in: `load_settings` has put it together."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


def load_settings(environment: Mapping[str, str] | None = None, dotenv: Path = Path(".env")) -> Settings:
    """Read the environment, over a `.env` file. Raises SettingsError with a line for each wrong setting."""
    given = {**_dotenv(dotenv), **_ours(os.environ if environment is None else environment)}
    values, problems = _with_files(given)
    try:
        settings = Settings(**_nested(values))
    except ValidationError as error:
        problems += [
            line for item in error.errors() for line in _lines(item["loc"], item["type"], item["msg"], values)
        ]
        raise SettingsError("\n".join(problems)) from None
    if problems:
        raise SettingsError("\n".join(problems))
    return settings


def _ours(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(PREFIX)}


def _dotenv(path: Path) -> dict[str, str]:
    return _ours({name: value or "" for name, value in dotenv_values(path).items()}) if path.is_file() else {}


def _with_files(given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Replace each secret's `…_FILE` by the content of that file."""
    values: dict[str, str] = {}
    problems: list[str] = []
    for name, value in given.items():
        plain = name.removesuffix("_FILE")
        if plain == name or not _is_secret(plain):
            values[name] = value
        elif plain in given:
            problems.append(f"{plain} and {name}: set one of them, not both")
        else:
            try:
                values[plain] = Path(value).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                problems.append(f"{name}: cannot be read: {error}")
    return values, problems


def _is_secret(name: str) -> bool:
    """Whether a setting holds a secret, by the model's own types."""
    model: type[BaseModel] = Settings
    parts = name.removeprefix(PREFIX).lower().split("__")
    if parts[0] == "directories" and len(parts) == 3:
        parts = ["directory", parts[2]]
    for part in parts:
        field = model.model_fields.get(part)
        if field is None:
            return False
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            model = field.annotation
            continue
        return "SecretStr" in _type_name(field)
    return False


def _type_name(field: FieldInfo) -> str:
    return str(field.annotation)


def _nested(values: Mapping[str, str]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in sorted(values.items()):
        branch = tree
        *outer, last = name.removeprefix(PREFIX).lower().split("__")
        for part in outer:
            inner = branch.setdefault(part, {})
            if not isinstance(inner, dict):
                break
            branch = inner
        else:
            branch[last] = value
    return tree


def _lines(path: tuple[str | int, ...], kind: str, message: str, given: Mapping[str, str]) -> list[str]:
    """Say what is wrong with a setting; an unknown section is named by the settings that are in it."""
    name = PREFIX + "__".join(str(part).upper() for part in path)
    if kind != "extra_forbidden":
        return [f"{name}: {message[0].lower()}{message[1:]}"]
    names = [n for n in given if n.upper() == name or n.upper().startswith(f"{name}__")]
    return [f"{n}: there is no such setting" for n in names or [name]]
