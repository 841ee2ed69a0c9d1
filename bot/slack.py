"""The ways to Slack: one session for the Web API, who the bot is, and the Socket Mode link."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import aiohttp
import certifi
from pydantic import SecretStr
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.health import Check
from bot.response_urls import ResponseUrls
from bot.settings import ProxySettings, SettingsError, SlackSettings
from pipeline.errors import PipelineError

PING_S = 5.0
"""How often the link is checked, in seconds: a silent peer is noticed after little more than that."""

KEEP_S = 75.0
"""How long an idle connection is kept, in seconds: a new one costs a TLS handshake."""


class SlackUnreachable(PipelineError):
    """Slack could not be reached."""

    code = "slack_unreachable"
    remedy = "Check the way out to slack.com, and FOURCHECK_PROXY__URL."
    retry_helps = True
    unreachable = True


class SlackRefused(PipelineError):
    """Slack refused the bot's token."""

    code = "slack_refused"
    remedy = "Install the app again and set its new tokens, FOURCHECK_SLACK__BOT_TOKEN and __APP_TOKEN."
    unreachable = True


@dataclass(frozen=True, slots=True)
class Slack:
    """Slack's Web API, the session under it, and who the bot is there."""

    client: AsyncWebClient
    response_urls: ResponseUrls
    identity: AuthorizeResult


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why Slack did not do what it was asked: its error code, the HTTP status, how long to wait."""

    code: str
    status: int
    retry_after_s: float = 1.0


def rejection(error: SlackApiError) -> Rejection:
    """Read an error of the SDK, whose response is no JSON where something before Slack answered."""
    response = error.response
    data = getattr(response, "data", None)
    status = getattr(response, "status_code", None) or getattr(response, "status", None) or 0
    headers = getattr(response, "headers", None) or {}
    try:
        wait = max(float(headers.get("Retry-After", "1")), 0.1)
    except ValueError:
        wait = 1.0
    return Rejection(str(data.get("error", "")) if isinstance(data, dict) else "", int(status), wait)


@asynccontextmanager
async def open_client(settings: SlackSettings, proxies: ProxySettings) -> AsyncIterator[AsyncWebClient]:
    """Open the one session that every call to Slack goes through. Asks nothing of Slack yet."""
    context = trusted(settings.ca_file)
    connector = aiohttp.TCPConnector(keepalive_timeout=KEEP_S, ssl=context)
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        yield AsyncWebClient(
            token=secret(settings.bot_token, "BOT_TOKEN", "to serve Slack"),
            base_url=settings.api_url + "/",
            session=session,
            ssl=context,
            proxy=proxies.way_to(settings.api_url),
            timeout=10,
        )


@asynccontextmanager
async def open_slack(settings: SlackSettings, proxies: ProxySettings) -> AsyncIterator[Slack]:
    """Open the session to Slack, and ask once who the bot is."""
    async with open_client(settings, proxies) as client:
        if client.session is None:  # it was given one above
            raise SlackUnreachable
        yield Slack(client, ResponseUrls(client.session, proxies.way_to), await who_am_i(client))


def trusted(ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that trusts the machine's and the public CAs, and the one in `ca_file` as well."""
    return _usual() if ca_file is None else _with_ca(ca_file)


@cache
def _usual() -> ssl.SSLContext:
    """Read the CAs once: there are hundreds, and it takes as long as several calls to Slack."""
    return _with_ca(None)


def _with_ca(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())  # the machine's own store may be empty
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


def secret(value: SecretStr | None, name: str, why: str) -> str:
    """Return a secret. Raises SettingsError naming the setting where it is missing."""
    if value is None:
        raise SettingsError(f"FOURCHECK_SLACK__{name}: is needed {why}")
    return value.get_secret_value()


async def who_am_i(client: AsyncWebClient) -> AuthorizeResult:
    """Ask Slack once who the bot is. Raises SlackUnreachable or SlackRefused."""
    try:
        answer = await client.auth_test()
    except (SlackApiError, aiohttp.ClientError, OSError) as error:
        raise _translated(error) from error
    return AuthorizeResult(
        enterprise_id=answer.get("enterprise_id"),
        team_id=answer.get("team_id"),
        bot_user_id=answer.get("user_id"),
        bot_id=answer.get("bot_id"),
        bot_token=client.token,
    )


@asynccontextmanager
async def socket_link(app: AsyncApp, settings: SlackSettings, client: AsyncWebClient) -> AsyncIterator[Check]:
    """Keep a Socket Mode link open until the block ends. Yields a check of whether it is up.

    The link renews itself when Slack asks for it, and after every break.
    """
    token = secret(settings.app_token, "APP_TOKEN", "in socket mode")
    opener = AsyncWebClient(
        base_url=client.base_url, session=client.session, ssl=client.ssl, proxy=client.proxy, timeout=10
    )
    handler = AsyncSocketModeHandler(app, token, web_client=opener, proxy=client.proxy, ping_interval=PING_S)
    try:
        try:
            await opener.apps_connections_open(
                app_token=token
            )  # the link itself would try a bad token for ever
            await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt leaves it untyped
        except (SlackApiError, aiohttp.ClientError, OSError) as error:
            raise _translated(error) from error

        async def check() -> None:
            if not await handler.client.is_connected():
                raise SlackUnreachable("The Socket Mode link is down; it is being opened again.")

        yield check
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]  # Bolt leaves it untyped


def _refused(why: Rejection) -> PipelineError:
    if why.status >= 500 or not why.code:
        return SlackUnreachable(f"Slack could not be reached: status {why.status}.")
    return SlackRefused(f"Slack refused the bot: {why.code}.")


def _translated(error: Exception) -> PipelineError:
    if isinstance(error, SlackApiError):
        return _refused(rejection(error))
    return SlackUnreachable(f"Slack could not be reached: {type(error).__name__}.")
