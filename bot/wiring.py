"""The composition root: the one place that knows concrete classes. Nothing is opened unasked."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.answers import Answers
from bot.app import build_app
from bot.connections import graph_settings, ldap_settings, token_settings
from bot.edge import BODY_LIMIT, slack_endpoint
from bot.health import Check, health_routes
from bot.listeners.buttons import Buttons
from bot.listeners.commands import Commands
from bot.listeners.details import Details
from bot.listeners.history import History
from bot.listeners.permission import Permission
from bot.listeners.picker import Picker
from bot.listeners.starting import Starting
from bot.metrics import Counting, Metrics, metrics_route
from bot.pace import USUAL, Pace
from bot.progress import Messages
from bot.retention import keep_for
from bot.runs import Runs
from bot.settings import Settings
from bot.slack import Slack, open_slack, secret, socket_link, who_am_i
from bot.tasks import Tasks
from bot.views import Hints, Message, batch_message, run_message
from pipeline import Run, Services
from pipeline.adapters.graph import GraphTenant, GraphTransport
from pipeline.adapters.ldap import LdapDirectory
from pipeline.adapters.tokens import TokenSource
from pipeline.clock import SystemClock
from pipeline.configuration import ConfigurationKeeper
from pipeline.errors import PipelineError
from pipeline.execution import Limits
from pipeline.ports import Events
from pipeline.runs.store import Store, open_store
from pipeline.write_gate import WriteGate

GRACE_S = 20.0
"""How long messages may take to get to their end when the process is told to stop, in seconds."""

_log = logging.getLogger(__name__)


class Silence:
    """Events that nobody watches, for the command line."""

    async def changed(self, run: Run) -> None:
        """Take no note."""


@dataclass(slots=True)
class Systems:
    """The engine's side of the world, open."""

    configurations: ConfigurationKeeper
    directories: Mapping[str, LdapDirectory]
    tokens: TokenSource
    tenant: GraphTenant
    store: Store
    writes: bool
    metrics: Metrics
    pace: Pace

    def services(self, events: Events) -> Services:
        """Return what a run needs."""
        return Services(
            configurations=self.configurations,
            directories=self.directories,
            tenant=WriteGate(self.tenant, enabled=self.writes),
            store=self.store,
            journal=self.store,
            events=events,
            clock=SystemClock(),
            writes=self.writes,
            sleep=self.pace.sleep,
        )

    async def warm_up(self) -> None:
        """Open connections and fetch a token, so that the first run does not wait for them."""
        work = [
            self.tokens.warm_up(),
            self.tenant.domains(),
            *(d.warm_up() for d in self.directories.values()),
        ]
        for result in await asyncio.gather(*work, return_exceptions=True):
            if isinstance(result, PipelineError):
                _log.warning("not ready yet: %s (%s) %s", result.message, result.code, result.remedy)
            elif isinstance(result, BaseException):
                raise result


@asynccontextmanager
async def open_systems(
    settings: Settings, *, guest: bool = False, pace: Pace = USUAL
) -> AsyncIterator[Systems]:
    """Open store, directories and tenant. `guest`: beside a running bot, without taking its place."""
    configurations = ConfigurationKeeper(settings.configurations)
    async with AsyncExitStack() as stack:
        url = settings.store.url.get_secret_value()
        store = open_store(url, guest=guest, lease_s=settings.runs.lease_s)
        stack.push_async_callback(store.close)
        directories = {name: LdapDirectory(each) for name, each in ldap_settings(settings).items()}
        for directory in directories.values():
            stack.push_async_callback(directory.close)
        clock = SystemClock()
        tokens = TokenSource(token_settings(settings), clock)
        stack.push_async_callback(tokens.aclose)
        metrics = Metrics(pace.sleep)
        transport = GraphTransport(graph_settings(settings), tokens, clock, sleep=metrics.pause)
        stack.push_async_callback(transport.aclose)
        yield Systems(
            configurations=configurations,
            directories=directories,
            tokens=tokens,
            tenant=GraphTenant(transport),
            store=store,
            writes=settings.entra.writes == "on",
            metrics=metrics,
            pace=pace,
        )


@dataclass(slots=True)
class Bot:
    """The bot, ready to take requests; `port` is where its HTTP server listens."""

    systems: Systems
    port: int
    runs: Runs


@asynccontextmanager
async def running_bot(settings: Settings, pace: Pace = USUAL) -> AsyncIterator[Bot]:
    """Run the bot until the block ends, then let what is under way finish."""
    async with AsyncExitStack() as stack:
        systems = await stack.enter_async_context(open_systems(settings, pace=pace))
        slack = await stack.enter_async_context(open_slack(settings.slack, settings.proxy))
        tasks = Tasks()
        runs, app = _surface(settings, systems, slack, tasks)
        stack.push_async_callback(tasks.drain, GRACE_S)
        stack.push_async_callback(runs.drain, settings.runs.grace_s)
        await systems.warm_up()
        renewal = asyncio.create_task(systems.tokens.keep_fresh(), name="token renewal")
        stack.push_async_callback(_cancel, renewal)
        purge = keep_for(settings.store.retention_days, systems.store, SystemClock())
        stack.push_async_callback(_cancel, asyncio.create_task(purge, name="retention"))
        watch = systems.configurations.watch(pace.configurations_s)
        stack.push_async_callback(_cancel, asyncio.create_task(watch, name="configurations"))
        checks = _checks(systems, slack.client)
        await runs.take_up()
        if settings.slack.mode == "socket":
            checks["link"] = await stack.enter_async_context(socket_link(app, settings.slack, slack.client))
        metrics = systems.metrics
        routes = health_routes(checks, lambda: _notes(systems), metrics.readiness)
        routes.append(metrics_route(metrics, systems.store, lambda: runs.under_way))
        if settings.slack.mode == "http":
            routes.append(slack_endpoint(app))
        port = await stack.enter_async_context(_http_server(routes, settings))
        yield Bot(systems, port, runs)


def _surface(settings: Settings, systems: Systems, slack: Slack, tasks: Tasks) -> tuple[Runs, AsyncApp]:
    """Put the Slack surface together: messages, runs, listeners, app."""
    render, render_all = _rendering(settings, systems)
    messages = Messages(
        slack.client, slack.response_urls, systems.store, tasks, render_all, pace=systems.pace
    )
    answers = Answers(slack.client, slack.response_urls, tasks)
    services = systems.services(Counting(messages, systems.metrics))
    runs = _runs(settings, systems, services, messages, tasks)
    picker = Picker(runs=runs, services=services, client=slack.client, answers=answers)
    permission = Permission(systems.store, systems.configurations)
    buttons = Buttons(
        store=systems.store, permission=permission, client=slack.client, answers=answers, render=render
    )
    history = History(
        store=systems.store, services=services, permission=permission, buttons=buttons, answers=answers
    )
    app = build_app(
        client=slack.client,
        identity=slack.identity,
        team_ids=frozenset(settings.slack.team_ids or [str(slack.identity.team_id)]),
        signing_secret=_signing_secret(settings),
        commands=Commands(
            runs=runs,
            picker=picker,
            history=history,
            answers=answers,
            configurations=systems.configurations,
            writes_on=systems.writes,
        ),
        picker=picker,
        history=history,
        details=Details(store=systems.store, permission=permission, client=slack.client, answers=answers),
        buttons=buttons,
        starting=Starting(
            runs=runs,
            store=systems.store,
            permission=permission,
            answers=answers,
            clock=services.clock,
            double_click_s=systems.pace.double_click_s,
        ),
        answers=answers,
    )
    return runs, app


def _runs(settings: Settings, systems: Systems, services: Services, messages: Messages, tasks: Tasks) -> Runs:
    """Put together what carries runs out."""
    limits = Limits(
        run_s=settings.runs.limit_s,
        stage_s=settings.runs.stage_limit_s,
        uncertain_s=settings.runs.uncertain_s,
    )
    return Runs(
        services,
        systems.store,
        messages,
        tasks,
        limits=limits,
        at_once=settings.runs.at_once,
        on_audit_failure=systems.metrics.audit_failures.inc,
    )


def _rendering(
    settings: Settings, systems: Systems
) -> tuple[Callable[[Run], Message], Callable[[Sequence[Run]], Message]]:
    """Return what makes the message of one run, and that of several that share one."""
    hints = Hints(plaintext_directory=settings.reads_plaintext)

    def render(run: Run) -> Message:
        return run_message(run, writes_on=systems.writes, hints=hints)

    def render_all(runs: Sequence[Run]) -> Message:
        if len(runs) == 1:
            return render(runs[0])
        return batch_message(runs, writes_on=systems.writes, hints=hints)

    return render, render_all


def _signing_secret(settings: Settings) -> str:
    """Return the signing secret; in Socket Mode the link itself is what is trusted, and none is needed."""
    if settings.slack.mode == "socket" and settings.slack.signing_secret is None:
        return secrets.token_hex()
    return secret(settings.slack.signing_secret, "SIGNING_SECRET", "in http mode")


@asynccontextmanager
async def _http_server(routes: list[web.RouteDef], settings: Settings) -> AsyncIterator[int]:
    server = web.Application(client_max_size=BODY_LIMIT)
    server.add_routes(routes)
    runner = web.AppRunner(server, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.http.host, settings.http.port)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def _checks(systems: Systems, client: AsyncWebClient) -> dict[str, Check]:
    async def directory() -> None:
        await asyncio.gather(*(d.ping() for d in systems.directories.values()))

    async def slack() -> None:
        await who_am_i(client)

    return {
        "store": systems.store.ping,
        "directory": directory,
        "tenant": systems.tenant.ping,
        "slack": slack,
    }


def _notes(systems: Systems) -> list[str]:
    trouble = systems.configurations.trouble
    return [trouble.note] if trouble is not None else []


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
