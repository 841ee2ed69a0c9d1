"""The tenant on a loopback socket: login, Graph and the sandbox's own calls in one aiohttp application.

The sandbox's own calls: `GET /_sandbox/ledger` (every write in order, with what became of it and what the
caller was told), `GET /_sandbox/requests`, `GET`, `POST` and `DELETE /_sandbox/faults` (see the module of the
faults), and `POST /_sandbox/reset` with nothing, for the seed as it was, or with a seed of one's own.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote

from aiohttp import web

from sandbox.copying import copied
from sandbox.tenant.faults import ConnectionDropped, Switchboard
from sandbox.tenant.journal import Journal
from sandbox.tenant.login import Login
from sandbox.tenant.protocol import JSON_TYPE, Call, read_target
from sandbox.tenant.service import Graph
from sandbox.tenant.tenant import SeedError, from_seed
from sandbox.tenant.tokens import TokenIssuer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from sandbox.tenant.protocol import Reply
    from sandbox.tenant.store import Clock

LOOPBACK = "127.0.0.1"
BODY_LIMIT = 4 * 1024 * 1024


def utc_now() -> datetime:
    """Give the time of the machine."""
    return datetime.now(UTC)


class TenantServer:
    """A stand-in of the Microsoft login service and of Microsoft Graph (v1.0, beta) for one tenant.

    Plain http on 127.0.0.1 only. `port` 0 takes a free one. `clock` is the tenant's time. `seed` fills it:
    `tenant_id`, `client_id`, `client_secret`, `roles` (of the token), `organization`, `domains`, `users` and
    `groups` (Graph's JSON with `id`; `manager`, `members` and `owners` hold ids; read-only properties and
    `onPremisesSyncBehavior` are taken), `deletedItems` (with `@odata.type`), `privileged` (ids of users who
    are Global Administrators), `directoryRoles` (`displayName` of a built-in role, `members`),
    `application_roles` (built-in roles that the application holds), `cloud_sync` (see that module),
    `certificates` (PEM, the application's), `federated_subjects` (workloads that may sign in) and
    `federated_certificates` (PEM; without them a workload's signature is not looked at),
    `client_secret_expired`, `token_lifetime_s`. What is left out has a default; None is one domain and
    nobody. Raises SeedError for names that do not exist, ids or unique values that come twice, and links
    that lead nowhere.
    """

    def __init__(
        self, *, port: int = 0, seed: Mapping[str, Any] | None = None, clock: Clock = utc_now
    ) -> None:
        self._port = port
        self._seed = copied(dict(seed)) if seed is not None else None
        self._clock = clock
        self._issuer: TokenIssuer | None = None
        self._faults = Switchboard()
        self._journal = Journal()
        self._tenant = from_seed(self._seed, clock)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Give the address, without a slash at its end."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def ledger(self) -> list[dict[str, Any]]:
        """Give every write in order, those inside a batch as well."""
        return copied(self._journal.writes)

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Give every request in order."""
        return copied(self._journal.requests)

    def settings(self) -> dict[str, str]:
        """Give the settings that point the bot at this tenant."""
        identity = self._tenant.identity
        return {
            "FOURCHECK_ENTRA__TENANT_ID": identity.tenant_id,
            "FOURCHECK_ENTRA__CLIENT_ID": identity.client_id,
            "FOURCHECK_ENTRA__CLIENT_SECRET": identity.client_secret,
            "FOURCHECK_ENTRA__GRAPH_URL": self.url,
            "FOURCHECK_ENTRA__LOGIN_URL": self.url,
            "FOURCHECK_ENTRA__WRITES": "on",
        }

    async def start(self) -> None:
        """Open the socket; afterwards `url` holds the real port."""
        self._issuer = await asyncio.to_thread(TokenIssuer)
        app = web.Application(client_max_size=BODY_LIMIT)
        app.router.add_route("*", r"/{path:[\s\S]*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, LOOPBACK, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self._compose()

    async def stop(self) -> None:
        """Close the socket."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def reset(self, seed: Mapping[str, Any] | None = None) -> None:
        """Put everything back to the seed, or to another one from now on; raise SeedError and change nothing.

        Objects, ledger, requests and faults are as at the start, and the next ids are the same ones.
        """
        wanted = self._seed if seed is None else copied(dict(seed))
        self._tenant = from_seed(wanted, self._clock)
        self._seed = wanted
        self._faults.clear()
        self._journal = Journal()
        self._compose()

    def inject(self, faults: Any) -> None:
        """Post fault rules, as `POST /_sandbox/faults` does; raise FaultError."""
        self._faults.add(faults)

    def faults(self) -> dict[str, Any]:
        """Give the kinds of faults there are, the rules in force and the last strikes."""
        return copied(self._faults.describe())

    def clear_faults(self, kind: str | None = None) -> None:
        """Switch every fault off, or those of one kind; raise FaultError."""
        self._faults.clear(kind)

    def _compose(self) -> None:
        if self._issuer is None:
            return
        self._login = Login(self._tenant, self._issuer, self._faults, self.url)
        self._graph = Graph(self._tenant, self._issuer, self._faults, self._journal)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = unquote(request.raw_path.partition("?")[0])
        if path.startswith("/_sandbox/"):
            return await self._control(request, path.removeprefix("/_sandbox/"))
        body = await request.read()
        try:
            if self._login.knows(request.method, path):
                reply = await self._login.answer(request.method, path, request.query, body)
            else:
                reply = await self._graph.answer(self._call(request, body))
        except ConnectionDropped:
            self._journal.request(request.method, request.raw_path, None)
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)  # never sent: the connection is gone
        self._journal.request(request.method, request.raw_path, reply.status)
        response = _response(reply)
        response.headers["Date"] = format_datetime(self._tenant.store.now(), usegmt=True)
        return response

    def _call(self, request: web.Request, body: bytes) -> Call:
        version, segments, query = read_target(request.raw_path)
        return Call(
            method=request.method,
            target=request.raw_path,
            segments=segments,
            query=query,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
            base=f"http://{request.host}/{version}",
        )

    async def _control(self, request: web.Request, name: str) -> web.Response:
        """Answer the sandbox's own calls."""
        calls: Mapping[tuple[str, str], Callable[[bytes], Any]] = {
            ("GET", "ledger"): lambda _: self._journal.writes,
            ("GET", "requests"): lambda _: self._journal.requests,
            ("GET", "faults"): lambda _: self._faults.describe(),
            ("POST", "faults"): self._post_faults,
            ("DELETE", "faults"): lambda _: self._faults.clear(request.query.get("kind")),
            ("POST", "reset"): self._post_reset,
        }
        call = calls.get((request.method, name))
        if call is None:
            return web.json_response({"error": f"no sandbox call {request.method} {name}"}, status=404)
        try:
            answer = call(await request.read())
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"ok": True} if answer is None else answer)

    def _post_reset(self, body: bytes) -> None:
        seed = json.loads(body) if body.strip() else None
        if seed is not None and not isinstance(seed, dict):
            raise SeedError("a seed is an object")
        try:
            self.reset(seed or None)
        except (AttributeError, KeyError, TypeError) as error:
            raise SeedError(f"the seed does not have the form of one: {error!r}") from None

    def _post_faults(self, body: bytes) -> dict[str, Any]:
        self._faults.add(json.loads(body) if body.strip() else None)
        return {"ok": True, "active": self._faults.describe()["active"]}


def _response(reply: Reply) -> web.Response:
    headers = dict(reply.headers)
    if reply.body is None:
        return web.Response(status=reply.status, headers=headers)
    if isinstance(reply.body, str):
        return web.Response(status=reply.status, headers=headers, text=reply.body, content_type="text/plain")
    headers.setdefault("Content-Type", JSON_TYPE)
    text = json.dumps(reply.body, ensure_ascii=False)
    return web.Response(status=reply.status, headers=headers, body=text.encode("utf-8"))
