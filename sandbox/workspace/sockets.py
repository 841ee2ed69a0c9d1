"""Socket Mode (Slack, page "Using Socket Mode"): links, envelopes, acks, refresh and redelivery."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import WSMsgType, web

from sandbox.workspace.errors import BadRequestError
from sandbox.workspace.state import State
from sandbox.workspace.transports import Ack, Kind, NoAckError

Node = dict[str, Any]

MOST_LINKS: Final = 10
_PING_S: Final = 10.0
_GRACE_S: Final = 1.0
_LIFETIME_S: Final = 18_060


@dataclass(slots=True, eq=False)
class _Link:
    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    draining: bool = False
    frozen: bool = False

    @property
    def usable(self) -> bool:
        return not self.socket.closed and not self.frozen


@dataclass(slots=True, eq=False)
class _Envelope:
    id: str
    message: Node
    answered: asyncio.Future[Any]
    link: _Link | None = None
    deliveries: int = 0
    lost: asyncio.Event = field(default_factory=asyncio.Event)


class SocketMode:
    """The links of one app and the envelopes under way on them."""

    def __init__(self, state: State, app_id: str, *, deadline: float) -> None:
        self._state = state
        self._app_id = app_id
        self._deadline = deadline
        self._tickets: set[str] = set()
        self._links: deque[_Link] = deque()
        self._envelopes: dict[str, _Envelope] = {}
        self._arrived = asyncio.Event()
        self._closers: set[asyncio.Task[None]] = set()
        self.refusing = False

    @property
    def count(self) -> int:
        """How many links are open."""
        return len(self._links)

    def new_link_url(self, base_url: str) -> str:
        """Make the address of one link; it works once."""
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        return f"ws{base_url.removeprefix('http')}/link/?ticket={ticket}&app_id={self._app_id}"

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Accept a link and read its acknowledgements until it ends."""
        ticket = request.query.get("ticket", "")
        if self.refusing or ticket not in self._tickets:
            return web.Response(status=503 if self.refusing else 401)
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(heartbeat=_PING_S)
        await socket.prepare(request)
        if self.count >= MOST_LINKS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        transport = request.transport
        link = _Link(socket, transport if isinstance(transport, asyncio.Transport) else None)
        self._links.append(link)
        await socket.send_json(self._hello())
        self._arrived.set()
        self._state.changes.say("links", {"count": self.count})
        try:
            await self._read(link)
        finally:
            self._forget(link)
        return socket

    async def deliver(self, kind: Kind, payload: Node, *, answers: bool) -> Ack:
        """Send an envelope over a link, over another one if the first is lost, until it is acknowledged."""
        envelope_id = str(uuid.uuid4())
        message = {
            "envelope_id": envelope_id,
            "type": kind,
            "accepts_response_payload": answers,
            "payload": payload,
        }
        envelope = _Envelope(envelope_id, message, asyncio.get_running_loop().create_future())
        self._envelopes[envelope_id] = envelope
        start = time.perf_counter()
        try:
            async with asyncio.timeout(self._deadline):
                body = await self._until_answered(envelope)
        except TimeoutError:
            raise NoAckError("operation_timeout" if envelope.deliveries else "dispatch_failed") from None
        finally:
            del self._envelopes[envelope_id]
        return Ack(200, body if answers else None, round((time.perf_counter() - start) * 1000, 1))

    async def disturb(self, action: str, reason: str = "refresh_requested") -> Node:
        """Do something to the links.

        Args:
            action: `disconnect` (announced with `reason`, closed a second later), `close` (close frame),
                `abort` (the connection is cut), `freeze` (nothing is read any more), `refuse` and `accept`
                (new links).
            reason: `warning`, `refresh_requested` or `link_disabled`.

        """
        touched = list(self._links)
        if action in ("refuse", "accept"):
            self.refusing = action == "refuse"
            touched = []
        elif action not in ("disconnect", "close", "abort", "freeze"):
            raise BadRequestError("`action` is disconnect, close, abort, freeze, refuse or accept.")
        for link in touched:
            if action == "disconnect":
                await self._announce_end(link, reason)
            elif action == "close":
                self._close_soon(link, 0)
            elif action == "abort" and link.transport is not None:
                link.transport.abort()
            elif action == "freeze":
                link.frozen = True
        return {"ok": True, "links": len(touched)}

    async def resend(self, envelope: Node) -> None:
        """Send an envelope once more, as Slack may do; its acknowledgement is not waited for."""
        await self._any_link().socket.send_json(envelope)

    async def close(self) -> None:
        """Close every link."""
        for closer in list(self._closers):
            closer.cancel()
        for link in list(self._links):
            await link.socket.close()

    # --- one link -----------------------------------------------------------------------------------------

    def _hello(self) -> Node:
        debug = {"host": "applink-1", "build_number": 1, "approximate_connection_time": _LIFETIME_S}
        return {
            "type": "hello",
            "num_connections": self.count,
            "debug_info": debug,
            "connection_info": {"app_id": self._app_id},
        }

    async def _read(self, link: _Link) -> None:
        async for message in link.socket:
            if message.type is WSMsgType.TEXT and not link.frozen:
                self._acknowledge(message.data)

    def _acknowledge(self, text: str) -> None:
        try:
            ack = json.loads(text)
        except ValueError:
            return
        envelope = self._envelopes.get(ack.get("envelope_id", "")) if isinstance(ack, dict) else None
        if envelope is not None and not envelope.answered.done():
            envelope.answered.set_result(ack.get("payload"))

    def _forget(self, link: _Link) -> None:
        if link in self._links:
            self._links.remove(link)
        for envelope in self._envelopes.values():
            if envelope.link is link:
                envelope.lost.set()
        self._state.changes.say("links", {"count": self.count})

    async def _announce_end(self, link: _Link, reason: str) -> None:
        link.draining = True
        await link.socket.send_json(
            {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-1"}}
        )
        if reason != "warning":
            self._close_soon(link, _GRACE_S)

    def _close_soon(self, link: _Link, delay: float) -> None:
        async def close() -> None:
            await asyncio.sleep(delay)
            await link.socket.close()

        task = asyncio.create_task(close())
        self._closers.add(task)
        task.add_done_callback(self._closers.discard)

    # --- one envelope -------------------------------------------------------------------------------------

    async def _until_answered(self, envelope: _Envelope) -> Any:
        while True:
            envelope.link = await self._next_link()
            envelope.lost.clear()
            try:
                await envelope.link.socket.send_json(envelope.message)
            except ConnectionError:
                self._forget(envelope.link)
                continue
            envelope.deliveries += 1
            lost = asyncio.ensure_future(envelope.lost.wait())
            try:
                await asyncio.wait({envelope.answered, lost}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                lost.cancel()
            if envelope.answered.done():
                return envelope.answered.result()

    async def _next_link(self) -> _Link:
        while True:
            link = self._pick()
            if link is not None:
                return link
            self._arrived.clear()
            await self._arrived.wait()

    def _pick(self) -> _Link | None:
        """Take the links in turn; one that is about to end only where there is no other."""
        self._links.rotate(-1)
        usable = [link for link in self._links if not link.socket.closed]
        return next((link for link in usable if not link.draining), usable[0] if usable else None)

    def _any_link(self) -> _Link:
        link = self._pick()
        if link is None:
            raise BadRequestError("No link is open.")
        return link
