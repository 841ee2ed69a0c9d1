"""The `/_sandbox` calls: what tests, tools and the page do to the workspace, as JSON over loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from sandbox.workspace.errors import BadRequestError
from sandbox.workspace.state import Change

if TYPE_CHECKING:
    from sandbox.workspace.server import WorkspaceServer

Node = dict[str, Any]
_Types = type | tuple[type, ...]
_KEEP_ALIVE_S: Final = 15.0
_OR_NOTHING: Final = (str, type(None))
_ANYTHING: Final = (str, int, float, bool, list, dict, type(None))
_WHERE: Final[dict[str, _Types]] = {"user": str, "message": _OR_NOTHING, "view": _OR_NOTHING}
_FIELDS: Final[dict[str, dict[str, _Types]]] = {
    "command": {"user": str, "channel": str, "text": str, "command": str},
    "say": {"user": str, "channel": str, "text": str},
    "click": {
        **_WHERE,
        "action": (str, int),
        "value": _ANYTHING,
        "beside": _OR_NOTHING,
        "confirm": bool,
        "values": dict,
    },
    "suggest": {**_WHERE, "action": (str, int), "value": str},
    "submit": {"user": str, "view": _OR_NOTHING, "values": dict},
    "delete": {"message": str},
    "close": {"user": str, "view": _OR_NOTHING},
    "channel": {"channel": str, "archived": bool, "bot": bool},
    "links": {"action": str, "reason": str},
    "settings": {"request_url": _OR_NOTHING},
    "switchboard": {"board": str, "choice": str},
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Control:
    """Routes of `/_sandbox`, each one method of the server."""

    def __init__(self, server: WorkspaceServer) -> None:
        self._server = server

    def routes(self) -> list[web.RouteDef]:
        """List the routes."""
        server = self._server
        gestures: dict[str, tuple[Callable[..., Awaitable[Node]], str]] = {
            "command": (server.command, "user channel text"),
            "say": (server.say, "user channel text"),
            "click": (server.click, "user action"),
            "suggest": (server.suggest, "user action value"),
            "submit": (server.submit, "user"),
            "delete": (server.delete, "message"),
            "close": (server.close, "user"),
            "channel": (server.change_channel, "channel"),
            "links": (server.links, "action"),
            "settings": (server.configure, "request_url"),
            "switchboard": (server.switchboard.switch_on, "board choice"),
        }
        posts = [
            web.post(f"/_sandbox/{name}", self._gesture(run, _FIELDS[name], needed.split()))
            for name, (run, needed) in gestures.items()
        ]
        return [
            *posts,
            web.post("/_sandbox/faults", answering(self._faults)),
            web.get("/_sandbox/faults", answering(self._pending_faults)),
            web.delete("/_sandbox/faults", answering(self._clear_faults)),
            web.get("/_sandbox/switchboard", answering(self._switchboard)),
            web.delete("/_sandbox/switchboard", answering(self._all_off)),
            web.post("/_sandbox/reset", answering(self._reset)),
            web.get("/_sandbox/messages", answering(self._messages)),
            web.get("/_sandbox/views", answering(self._views)),
            web.get("/_sandbox/home", answering(self._home)),
            web.get("/_sandbox/calls", answering(self._calls)),
            web.get("/_sandbox/dispatches", answering(self._dispatches)),
            web.get("/_sandbox/state", answering(self._state)),
            web.get("/_sandbox/snapshot", answering(self._snapshot)),
            web.get("/_sandbox/events", answering(self._events)),
        ]

    def _gesture(
        self, run: Callable[..., Awaitable[Node]], fields: dict[str, _Types], needed: list[str]
    ) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            body = await _body(request)
            if not isinstance(body, dict):
                raise BadRequestError("The body is a JSON object.")
            strange, missing = sorted(set(body) - set(fields)), sorted(set(needed) - set(body))
            if strange or missing:
                said = [f"unknown: {', '.join(strange)}"] if strange else []
                said += [f"missing: {', '.join(missing)}"] if missing else []
                raise BadRequestError(f"The body has {', '.join(fields)}; {'; '.join(said)}.")
            for name, value in body.items():
                if not isinstance(value, fields[name]):
                    raise BadRequestError(f"`{name}` cannot be {value!r}.")
            return web.json_response(await run(**body))

        return answering(handle)

    async def _faults(self, request: web.Request) -> web.Response:
        body = await _body(request)
        limits = None
        if isinstance(body, dict) and set(body) <= {"faults", "tier_limits"}:
            limits, body = body.get("tier_limits"), body.get("faults", [])
        if not isinstance(body, list):
            raise BadRequestError(
                "The body is a list of faults, or an object with `faults` and `tier_limits`."
            )
        self._server.add_faults(body)
        if limits is not None:
            self._server.tier_limits = bool(limits)
        return web.json_response({"ok": True})

    async def _pending_faults(self, _request: web.Request) -> web.Response:
        return web.json_response(self._server.pending_faults())

    async def _clear_faults(self, _request: web.Request) -> web.Response:
        self._server.clear_faults()
        return web.json_response({"ok": True})

    async def _switchboard(self, _request: web.Request) -> web.Response:
        return web.json_response(await self._server.switchboard.describe())

    async def _all_off(self, _request: web.Request) -> web.Response:
        return web.json_response(await self._server.switchboard.clear())

    async def _reset(self, _request: web.Request) -> web.Response:
        await self._server.reset_everything()
        return web.json_response({"ok": True})

    async def _messages(self, request: web.Request) -> web.Response:
        found = self._server.messages(request.query.get("channel"), request.query.get("user"))
        return web.json_response(found)

    async def _views(self, request: web.Request) -> web.Response:
        return web.json_response(self._server.views(request.query.get("user")))

    async def _home(self, request: web.Request) -> web.Response:
        user = request.query.get("user")
        if user is None:
            raise BadRequestError("Say whose Home tab: ?user=U…")
        return web.json_response(self._server.home(user))

    async def _calls(self, _request: web.Request) -> web.Response:
        return web.json_response(self._server.calls())

    async def _dispatches(self, _request: web.Request) -> web.Response:
        return web.json_response(self._server.dispatches())

    async def _state(self, _request: web.Request) -> web.Response:
        return web.json_response(self._server.describe())

    async def _snapshot(self, request: web.Request) -> web.Response:
        return web.json_response(self._server.snapshot(request.query.get("user")))

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Send changes as Server-Sent Events: `id` is the number, `event` the kind, `data` the thing.

        `?kinds=message,views` leaves the other kinds out.
        """
        kinds = frozenset(filter(None, request.query.get("kinds", "").split(",")))
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        await response.write(b": open\n\n")
        queue = self._server.state.changes.subscribe()
        try:
            while True:
                await response.write(await _next_event(queue, kinds))
        except ConnectionError:
            return response
        finally:
            self._server.state.changes.unsubscribe(queue)


async def _next_event(queue: asyncio.Queue[Change], kinds: frozenset[str]) -> bytes:
    try:
        async with asyncio.timeout(_KEEP_ALIVE_S):
            change = await queue.get()
            while kinds and change.kind not in kinds:
                change = await queue.get()
    except TimeoutError:
        return b": still here\n\n"
    return f"id: {change.number}\nevent: {change.kind}\ndata: {json.dumps(change.item)}\n\n".encode()


def _is_foreign(request: web.Request) -> bool:
    """Tell whether a page of another origin asks, or one that got here under a foreign name."""
    own = {f"http://{host}:{request.url.port}" for host in ("127.0.0.1", "localhost")}
    named = request.url.host in ("127.0.0.1", "localhost")
    return not named or request.headers.get("Origin", "http://localhost:" + str(request.url.port)) not in own


def answering(handler: Handler) -> Handler:
    """Answer foreign pages with 403, and a wish that cannot be met with 400 and a sentence."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if _is_foreign(request):
            return web.json_response({"ok": False, "error": "foreign_origin"}, status=403)
        try:
            return await handler(request)
        except BadRequestError as refusal:
            return web.json_response(
                {"ok": False, "error": "bad_request", "message": str(refusal)}, status=400
            )

    return handle


async def _body(request: web.Request) -> Any:
    try:
        return json.loads(await request.read())
    except ValueError:
        raise BadRequestError("The body is not JSON.") from None
