"""Look at each system with the bot's own settings: what is right, missing or excess, and what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.connections import graph_settings, ldap_settings, token_settings
from bot.doctor_templates import examine_templates
from bot.settings import Settings, SettingsError
from bot.slack import SlackRefused, SlackUnreachable, open_client, rejection
from pipeline.adapters.graph import GraphTenant, GraphTransport
from pipeline.adapters.graph.doctor import examine_tenant
from pipeline.adapters.ldap_doctor import examine_directory
from pipeline.adapters.tokens import TokenSource
from pipeline.clock import SystemClock
from pipeline.configuration import Configuration, load_configurations
from pipeline.errors import PipelineError
from pipeline.findings import Finding, Findings, Verdict, listed

SCOPES: Final[Mapping[str, str]] = {
    "commands": "/provision itself",
    "chat:write": "the one message of a run, and its updates",
    "chat:write.public": "the same in public channels that the bot has not joined",
}
"""What the app asks for in its manifest, and why."""

OPTIONAL_SCOPES: Final = frozenset({"chat:write.public", "channels:read", "groups:read"})
"""Scopes without which the bot works, with less."""

_SET_DIRECTORY: Final = (
    "Set the domain controllers, the account and the base of section FOURCHECK_DIRECTORY__."
)
_SLACK: Final = Findings("Slack")


async def examine(settings: Settings) -> list[Finding]:
    """Look at the configurations, then at directories, tenant and Slack, all at the same time."""
    try:
        configurations = load_configurations(settings.configurations).all
    except PipelineError as error:
        configurations = ()
        found = [Findings("configurations").failed("files", error)]
    else:
        names = listed(c.name for c in configurations)
        found = [Findings("configurations").good("files", f"Configurations in use: {names}.")]
    parts = await asyncio.gather(
        _directories(settings, configurations), _tenant(settings), _slack(settings, configurations)
    )
    return found + [finding for part in parts for finding in part]


async def _directories(settings: Settings, configurations: Sequence[Configuration]) -> list[Finding]:
    try:
        directories = ldap_settings(settings)
        clock = SystemClock()
        work: list[Awaitable[list[Finding]]] = [
            examine_directory(name, each, _reads(configurations, name), clock)
            for name, each in directories.items()
        ]
        found = [finding for part in await asyncio.gather(*work) for finding in part]
    except (SettingsError, PipelineError) as error:
        return [Findings("directory main").missing("settings", str(error), _SET_DIRECTORY)]
    unknown = {c.directory for c in configurations} - directories.keys()
    return found + [
        Findings(f"directory {name}").missing(
            "settings",
            f"A configuration reads from directory {name}, and no directory of that name is set up.",
            f"Set FOURCHECK_DIRECTORIES__{name.upper()}__URLS and its other settings.",
        )
        for name in sorted(unknown)
    ]


def _reads(configurations: Sequence[Configuration], directory: str) -> frozenset[str]:
    return frozenset(name for c in configurations if c.directory == directory for name in c.reads)


async def _tenant(settings: Settings) -> list[Finding]:
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        try:
            tokens = TokenSource(token_settings(settings), clock)
        except SettingsError as error:
            remedy = "Set the tenant, the client and one credential of section FOURCHECK_ENTRA__."
            return [Findings("Entra ID").missing("settings", str(error), remedy)]
        stack.push_async_callback(tokens.aclose)
        transport = GraphTransport(graph_settings(settings), tokens, clock)
        stack.push_async_callback(transport.aclose)
        writes = settings.entra.writes == "on"
        return await examine_tenant(tokens, transport, GraphTenant(transport), clock, writes=writes)


# -- Slack --------------------------------------------------------------------------------------------------


async def _slack(settings: Settings, configurations: Sequence[Configuration]) -> list[Finding]:
    if settings.slack.bot_token is None:
        says = "No Slack app is set up; `fourcheck preview` and `fourcheck provision` work without."
        return [_SLACK.unknown("settings", says, "Set FOURCHECK_SLACK__BOT_TOKEN to serve Slack.")]
    async with open_client(settings.slack, settings.proxy) as client:
        try:
            answer = await client.auth_test()
        except (SlackApiError, aiohttp.ClientError, OSError) as error:
            return [_SLACK.failed("token", _trouble(error))]
        found = [
            _SLACK.good("token", f"Signed in to the workspace {answer.get('team')} as {answer.get('user')}."),
            _team(settings, str(answer.get("team_id"))),
            *examine_scopes(_scopes(answer)),
            await _link(settings, client),
        ]
        found += await _channels(client, configurations)
        return [*found, await examine_templates(client, settings, configurations)]


def _team(settings: Settings, team: str) -> Finding:
    if settings.slack.team_ids and team not in settings.slack.team_ids:
        says = f"The token is of the workspace {team}, which FOURCHECK_SLACK__TEAM_IDS does not list."
        return _SLACK.missing("workspace", says, "Add the workspace to the list, or use its own token.")
    return _SLACK.good("workspace", f"Commands are taken from the workspace {team}.")


def _scopes(answer: AsyncSlackResponse) -> frozenset[str]:
    headers = {str(k).casefold(): str(v) for k, v in dict(answer.headers or {}).items()}
    return frozenset(s.strip() for s in headers.get("x-oauth-scopes", "").split(",") if s.strip())


def examine_scopes(granted: frozenset[str]) -> list[Finding]:
    """Judge the bot token's scopes against those that the manifest asks for."""
    absent = [name for name in SCOPES if name not in granted]
    needed = [name for name in absent if name not in OPTIONAL_SCOPES]
    remedy = "Add them to the app, and install it again."
    if needed:
        why = "; ".join(f"{name} ({SCOPES[name]})" for name in needed)
        found = [_SLACK.missing("scopes", f"The token lacks {why}.", remedy)]
    elif absent:
        why = "; ".join(f"{name} ({SCOPES[name]})" for name in absent)
        found = [_SLACK.warning("scopes", f"The token lacks {why}.", remedy)]
    else:
        found = [_SLACK.good("scopes", f"The token has all scopes of the manifest: {listed(SCOPES)}.")]
    more = granted - SCOPES.keys() - OPTIONAL_SCOPES
    if more:
        says = f"The token may do more than is needed: {listed(more)}."
        return [
            *found,
            _SLACK.warning("excess", says, "Take them from the app, and install it again."),
        ]
    return [*found, _SLACK.good("excess", "No scope is granted that is not needed.")]


async def _link(settings: Settings, client: AsyncWebClient) -> Finding:
    if settings.slack.mode == "http":
        if settings.slack.signing_secret is None:
            says = "Requests cannot be checked: there is no signing secret."
            return _SLACK.missing("requests", says, "Set FOURCHECK_SLACK__SIGNING_SECRET.")
        return _SLACK.good("requests", "Requests come by HTTP, and their signatures are checked.")
    if settings.slack.app_token is None:
        says = "Socket Mode needs an app-level token, and there is none."
        return _SLACK.missing("requests", says, "Set FOURCHECK_SLACK__APP_TOKEN (scope connections:write).")
    opener = AsyncWebClient(
        base_url=client.base_url, session=client.session, ssl=client.ssl, proxy=client.proxy, timeout=10
    )
    try:
        await opener.apps_connections_open(app_token=settings.slack.app_token.get_secret_value())
    except (SlackApiError, aiohttp.ClientError, OSError) as error:
        return _SLACK.failed("requests", _trouble(error))
    return _SLACK.good("requests", "Requests come by Socket Mode, and the app-level token is taken.")


async def _channels(client: AsyncWebClient, configurations: Sequence[Configuration]) -> list[Finding]:
    """Say of each channel that a configuration names whether the bot is in it."""
    named = sorted({c for each in configurations for g in each.access.values() for c in g.channels})
    if not named:
        return [_SLACK.good("channels", "No configuration is bound to a channel.")]
    return [await _channel(client, channel) for channel in named]


async def _channel(client: AsyncWebClient, channel: str) -> Finding:
    try:
        answer = await client.conversations_info(channel=channel)
    except SlackApiError as error:
        code = rejection(error).code
        if code == "missing_scope":
            says = f"Whether the bot is in {channel} is not seen: that takes channels:read or groups:read."
            return _SLACK.unknown("channels", says)
        says = f"The channel {channel} of a configuration is not seen by the bot ({code})."
        return _SLACK.warning("channels", says, "Correct its id; into a private channel, /invite the bot.")
    except (aiohttp.ClientError, OSError) as error:
        return _SLACK.failed("channels", _trouble(error))
    about = answer.get("channel") or {}
    name = f"#{about.get('name') or channel}"
    if about.get("is_archived"):
        return _SLACK.warning("channels", f"{name} is archived.", "Name another channel there.")
    if about.get("is_member") is False and about.get("is_private"):
        return _SLACK.warning("channels", f"The bot is not in {name}.", f"Type /invite @fourcheck in {name}.")
    return _SLACK.good("channels", f"The bot can post in {name}.")


def _trouble(error: Exception) -> PipelineError:
    if isinstance(error, SlackApiError) and (why := rejection(error)).code:
        return SlackRefused(f"Slack refused the token: {why.code}.")
    return SlackUnreachable(f"Slack could not be reached: {type(error).__name__}.")


# -- telling ------------------------------------------------------------------------------------------------

_MARKS: Final = {Verdict.GOOD: "✓", Verdict.WARNING: "!", Verdict.FAILED: "✗", Verdict.UNKNOWN: "?"}


def as_text(findings: Sequence[Finding]) -> str:
    """Return the findings as a person reads them: a line each, with the remedy below."""
    lines: list[str] = []
    system = ""
    for finding in findings:
        if finding.system != system:
            system = finding.system
            lines += ["", system] if lines else [system]
        lines.append(f"  {_MARKS[finding.verdict]} {finding.check:<16} {finding.says}")
        if finding.remedy:
            lines.append(f"    {'':<16} → {finding.remedy}")
    failed = sum(f.verdict is Verdict.FAILED for f in findings)
    warned = sum(f.verdict is Verdict.WARNING for f in findings)
    lines += ["", f"{len(findings)} checks: {failed} failed, {warned} to look at."]
    return "\n".join(lines)
