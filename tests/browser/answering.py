"""An app behind a workspace that keeps what it is sent and answers as it is told; and blocks to send it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from sandbox.workspace import WorkspaceServer

PATIENCE_S = 20.0
"""How long something is waited for that comes at once: a busy machine may stall, never so long."""
SHORT_S = 0.3
"""How long a workspace waits for its app in tests that wait for the end of it."""
Node = dict[str, Any]
Answer = Callable[[Node], Awaitable[Node | None]]


@dataclass
class App:
    """An app that keeps what it is sent and acknowledges with `answer`, or with what that makes of it."""

    workspace: WorkspaceServer
    answer: Node | Answer | None = None
    received: list[Node] = field(default_factory=list)
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.Response:
        """Keep a payload and acknowledge it."""
        form = await request.post()
        payload = json.loads(str(form["payload"]))
        self.received.append(payload)
        self._came.set()
        answer = await self.answer(payload) if callable(self.answer) else self.answer
        return web.json_response(answer) if answer else web.Response()

    def open(self, title: str, *blocks: Node, push: bool = False, **more: Any) -> None:
        """Open a modal for Maria, as the app would."""
        view = {"type": "modal", "title": plain(title), "blocks": list(blocks), **more}
        self.workspace.state.open_view("U0MARIA", view, push=push)

    def turn(self, *blocks: Node) -> None:
        """Put other blocks into Maria's topmost modal, as the app would."""
        view = self.workspace.state.stack("U0MARIA")[-1]
        self.workspace.state.replace_view(view, {**view.payload, "blocks": list(blocks)})

    async def silence(self, _payload: Node) -> None:
        """Answer as `answer` would that never comes."""
        await asyncio.Event().wait()

    async def heard(self, count: int) -> Node:
        """Wait until so many payloads have come, and give the last one."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.received) < count:
                self._came.clear()
                await self._came.wait()
        return self.received[count - 1]


def plain(text: str) -> Node:
    """Return a text object."""
    return {"type": "plain_text", "text": text}


def option(text: str, value: str = "", more: str = "") -> Node:
    """Return an option; its value is its text in lower case unless given."""
    described = {"description": plain(more)} if more else {}
    return {"text": plain(text), "value": value or text.lower(), **described}


def section(text: str, **more: Any) -> Node:
    """Return a paragraph."""
    return {"type": "section", "text": plain(text), **more}


def field_block(label: str, element: Node | None = None, **more: Any) -> Node:
    """Return an input block, with a line to type in unless another element is given."""
    inside = element or {"type": "plain_text_input", "action_id": "typed"}
    return {"type": "input", "block_id": label.lower(), "label": plain(label), "element": inside, **more}
