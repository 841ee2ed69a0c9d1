"""Socket Mode (Slack, page "Using Socket Mode"): links, envelopes, acks, refresh and redelivery."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
import uuid
from collections import deque
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import WSMsgType, web

from sandbox.workspace.errors import BadRequestError
from sandbox.workspace.state import State
from sandbox.workspace.transports import Ack, Kind, NoAckError

Node = dict[str, Any]

MOST_LINKS: Final = 10
_ACTIONS: Final = ("disconnect", "close", "abort", "freeze", "refuse", "accept", "repeat")
_PING_S: Final = 10.0
_GRACE_S: Final = 1.0
_LIFETIME_S: Final = 18_060


@dataclass(slots=True, eq=False)
class _Link:
    """One WebSocket; `draining` once its end is announced, `frozen` once nothing gets through any more."""

    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    draining: bool = False
    frozen: bool = False


@dataclass(slots=True, eq=False)
class _Envelope:
    """A payload on its way: `lost` is set when the link that carried it ended unacknowledged."""

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
        self._tasks: set[asyncio.Task[None]] = set()
        self._last: Node | None = None
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
        socket = web.WebSocketResponse(timeout=_GRACE_S)
        await socket.prepare(request)
        if self.count >= MOST_LINKS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        transport = request.transport
        link = _Link(socket, transport if isinstance(transport, asyncio.Transport) else None)
        self._links.append(link)
        await socket.send_json(self._hello())
        self._announce(link)
        pings = self._start(self._ping(link))
        try:
            await self._read(link)
        finally:
            pings.cancel()
            self._forget(link)
        return socket

    async def deliver(self, kind: Kind, payload: Node, *, answers: bool) -> Ack:
        """Send an envelope over a link, over another one if the first is lost, until it is acknowledged."""
        envelope_id = str(uuid.uuid4())
        message: Node = {
            "envelope_id": envelope_id,
            "type": kind,
            "accepts_response_payload": answers,
            "payload": payload,
        }
        envelope = _Envelope(message, asyncio.get_running_loop().create_future())
        self._envelopes[envelope_id] = envelope
        self._last = message
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
                `abort` (the connection is cut), `freeze` (nothing gets through any more), `refuse` and
                `accept` (new links), `repeat` (the last envelope is sent once more).
            reason: `warning` (not closed yet), `refresh_requested` or `link_disabled`.

        Returns:
            `{"ok": True, "links": how many were touched}`.

        """
        if action not in _ACTIONS:
            raise BadRequestError(f"`action` is one of {', '.join(_ACTIONS)}.")
        if action in ("refuse", "accept"):
            self.refusing = action == "refuse"
            return {"ok": True, "links": 0}
        if action == "repeat":
            return await self._repeat()
        touched = list(self._links)
        for link in touched:
            if action == "disconnect":
                await self._announce_end(link, reason)
            elif action == "close":
                self._start(self._close_later(link, 0))
            elif link.transport is not None and action == "abort":
                link.transport.abort()
            elif link.transport is not None:
                link.frozen = True
                link.transport.pause_reading()
        return {"ok": True, "links": len(touched)}

    async def close(self) -> None:
        """Close every link."""
        for task in list(self._tasks):
            task.cancel()
        for link in list(self._links):
            if link.frozen and link.transport is not None:
                link.transport.abort()
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

    def _announce(self, link: _Link) -> None:
        """Wake those who wait for a link; what hangs on a frozen one goes over this one instead."""
        for envelope in self._envelopes.values():
            if envelope.link is not None and envelope.link is not link and envelope.link.frozen:
                envelope.lost.set()
        self._arrived.set()
        self._state.changes.say("links", {"count": self.count})

    async def _ping(self, link: _Link) -> None:
        with suppress(ConnectionError):
            while True:
                await asyncio.sleep(_PING_S)
                if not link.frozen:
                    await link.socket.ping(b"Ping from applink-1")

    async def _read(self, link: _Link) -> None:
        async for message in link.socket:
            if message.type is WSMsgType.TEXT:
                self._acknowledge(message.data)

    def _acknowledge(self, text: str) -> None:
        try:
            ack = json.loads(text)
        except ValueError:
            return
        envelope = self._envelopes.get(str(ack.get("envelope_id"))) if isinstance(ack, dict) else None
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
            self._start(self._close_later(link, _GRACE_S))

    async def _close_later(self, link: _Link, delay: float) -> None:
        await asyncio.sleep(delay)
        await link.socket.close()

    async def _repeat(self) -> Node:
        link = self._pick()
        if link is None or self._last is None:
            raise BadRequestError("There is no open link, or nothing was sent yet.")
        await link.socket.send_json(self._last)
        return {"ok": True, "links": 1}

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # --- one envelope -------------------------------------------------------------------------------------

    async def _until_answered(self, envelope: _Envelope) -> Any:
        while True:
            envelope.link = await self._next_link()
            envelope.lost.clear()
            if not await self._send(envelope, envelope.link):
                self._forget(envelope.link)
                continue
            lost = asyncio.ensure_future(envelope.lost.wait())
            try:
                await asyncio.wait({envelope.answered, lost}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                lost.cancel()
            if envelope.answered.done():
                return envelope.answered.result()

    async def _send(self, envelope: _Envelope, link: _Link) -> bool:
        envelope.deliveries += 1
        if link.frozen:
            return True
        try:
            await link.socket.send_json(envelope.message)
        except ConnectionError:
            return False
        return True

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
        open_links = [link for link in self._links if not link.socket.closed]
        open_links.sort(key=lambda link: (link.frozen, link.draining))
        return open_links[0] if open_links else None
