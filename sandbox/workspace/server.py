"""The workspace as a server on loopback, and the same calls for use inside one process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from sandbox.copying import copied
from sandbox.workspace.blockkit import facts
from sandbox.workspace.control import Control
from sandbox.workspace.errors import BadRequestError
from sandbox.workspace.faults import Faults, read_fault
from sandbox.workspace.page import page_routes
from sandbox.workspace.people import People
from sandbox.workspace.seed import Seed, contoso
from sandbox.workspace.sockets import SocketMode
from sandbox.workspace.state import State
from sandbox.workspace.switchboard import Board, SlackBoard, Switchboard
from sandbox.workspace.transports import SignedHttp, Transport
from sandbox.workspace.webapi import WebApi

Node = dict[str, Any]
_SHOWN_OF_A_USER = ("id", "name", "real_name", "title", "is_bot", "is_admin", "is_guest")
ACK_DEADLINE_S = 3.0
"""Slack, page "Slash commands": an app confirms within three seconds."""


class WorkspaceServer:
    """A Slack workspace on 127.0.0.1.

    Args:
        port: where to listen; 0 takes a free one.
        request_url: where signed commands and clicks are posted; `None`: the Socket Mode link.
        seed: who and what is there; contoso unless given.
        clock: seconds since the epoch, for trigger ids, response URLs and rate limits.
        ack_deadline: seconds that an app has to acknowledge.
        suggestions: what the page offers after a command, each `{"label", "name", "text"}`: what happens,
            to whom, and what to type.
        on_reset: what else to put back when the page resets everything.
        boards: the other systems whose faults the page offers to switch on, by name.

    """

    def __init__(
        self,
        *,
        port: int = 0,
        request_url: str | None = None,
        seed: Seed | None = None,
        clock: Callable[[], float] = time.time,
        ack_deadline: float = ACK_DEADLINE_S,
        suggestions: Sequence[Mapping[str, str]] = (),
        on_reset: Callable[[], None] | None = None,
        boards: Mapping[str, Board] | None = None,
    ) -> None:
        self.request_url = request_url
        self._suggestions = [dict(suggestion) for suggestion in suggestions]
        self._on_reset = on_reset
        self._port = port
        self._seed = seed or contoso()
        self._runner: web.AppRunner | None = None
        self.state = State(self._seed, clock)
        self._faults = Faults()
        self.switchboard = Switchboard(lambda: {"slack": SlackBoard(self._faults), **(boards or {})})
        self._http = SignedHttp(
            url=lambda: self.request_url or "",
            signing_secret=self._seed.app.signing_secret,
            deadline=ack_deadline,
        )
        self.socket_mode = SocketMode(self.state, self._seed.app.id, deadline=ack_deadline)
        self._people = People(self.state, lambda: self.url, self._transport)
        self._api = WebApi(self.state, self._faults, lambda: self.socket_mode.new_link_url(self.url))

    async def start(self) -> None:
        """Listen on 127.0.0.1."""
        app = web.Application(client_max_size=4 * 1024 * 1024)
        for verb in ("GET", "POST"):
            app.router.add_route(verb, "/api/{method}", self._api.call)
        app.router.add_post("/{kind:commands|actions}/{rest:.+}", self._api.respond)
        app.router.add_get("/link/", self.socket_mode.connect)
        app.router.add_routes(Control(self).routes())
        app.router.add_routes(page_routes())
        self._runner = web.AppRunner(app, shutdown_timeout=0.5, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close links and sockets."""
        await self.socket_mode.close()
        await self._http.close()
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

    @property
    def url(self) -> str:
        """The server's address without a path."""
        return f"http://127.0.0.1:{self._port}"

    def settings(self) -> dict[str, str]:
        """Give the settings that point the bot at this workspace."""
        app = self._seed.app
        return {
            "FOURCHECK_SLACK__API_URL": f"{self.url}/api",
            "FOURCHECK_SLACK__BOT_TOKEN": app.bot_token,
            "FOURCHECK_SLACK__APP_TOKEN": app.app_token,
            "FOURCHECK_SLACK__SIGNING_SECRET": app.signing_secret,
            "FOURCHECK_SLACK__TEAM_IDS": self._seed.team_id,
        }

    # --- gestures -----------------------------------------------------------------------------------------

    async def command(self, user: str, channel: str, text: str, command: str = "/provision") -> Node:
        """Type a slash command; see `People.command`."""
        return await self._people.command(user, channel, text, command)

    async def say(self, user: str, channel: str, text: str) -> Node:
        """Write an ordinary message."""
        return await self._people.say(user, channel, text)

    async def click(self, user: str, action: object, **where: Any) -> Node:
        """Press a button or pick an option; see `People.click`."""
        return await self._people.click(user, action, **where)

    async def suggest(self, user: str, action: object, value: str, **where: Any) -> Node:
        """Type into an external select; see `People.suggest`."""
        return await self._people.suggest(user, action, value, **where)

    async def submit(self, user: str, view: str | None = None, values: Node | None = None) -> Node:
        """Submit the topmost view; see `People.submit`."""
        return await self._people.submit(user, view, values)

    async def close(self, user: str, view: str | None = None) -> Node:
        """Close the topmost view; see `People.close`."""
        return await self._people.close(user, view)

    async def delete(self, message: str) -> Node:
        """Delete a message, as a person with the right to may."""
        found = self.state.find_message(message)
        if found is None:
            raise BadRequestError(f"There is no message {message!r}.")
        self.state.delete_message(found)
        return {"ok": True}

    async def change_channel(
        self, channel: str, *, archived: bool | None = None, bot: bool | None = None
    ) -> Node:
        """Archive a channel or bring it back; invite the bot or remove it."""
        place = self.state.place(channel)
        members = place.members
        if bot is not None:
            app_user = frozenset({self._seed.app.bot_user})
            members = members | app_user if bot else members - app_user
        is_archived = place.is_archived if archived is None else archived
        self.state.channels[place.id] = replace(place, is_archived=is_archived, members=members)
        self.state.changes.say("channel", {"channel": place.id})
        return {"ok": True}

    async def links(self, action: str, reason: str = "refresh_requested") -> Node:
        """Disturb the Socket Mode links; see `SocketMode.disturb`."""
        return await self.socket_mode.disturb(action, reason)

    async def configure(self, request_url: str | None) -> Node:
        """Say where commands and clicks are posted; `None` for the Socket Mode link."""
        self.request_url = request_url
        return {"ok": True}

    # --- what is there ------------------------------------------------------------------------------------

    def messages(self, channel: str | None = None, user: str | None = None) -> list[Node]:
        """Give the messages of a channel (or all), oldest first; with `user`, those that this person sees."""
        place = None if channel is None else self.state.place(channel).id
        if user is not None:
            self.state.person(user)
        return [
            copied(message.as_dict())
            for message in self.state.messages
            if place in (None, message.channel)
            and (user is None or message.to in (None, user))
            and (user is None or user in self.state.channels[message.channel].members)
        ]

    def views(self, user: str | None = None) -> list[Node]:
        """Give a person's open views (or everyone's), the root first."""
        users = [self.state.person(user).id] if user is not None else list(self.state.users)
        return copied([view for one in users for view in self.state.views_of(one)])

    def home(self, user: str) -> Node | None:
        """Give a person's Home tab."""
        home = self.state.homes.get(self.state.person(user).id)
        return None if home is None else copied(self.state.view_object(home))

    def calls(self) -> list[Node]:
        """Give every Web API call and response-URL post in order: method, payload, response, problems."""
        return copied(self.state.calls)

    def dispatches(self) -> list[Node]:
        """Give everything that was sent to the app in order, with its acknowledgement or what went wrong."""
        return copied(self._people.dispatches)

    def describe(self) -> Node:
        """Describe team, people, channels and the way to the app."""
        seed, app = self._seed, self._seed.app
        people = [
            {name: getattr(user, name) for name in _SHOWN_OF_A_USER} for user in self.state.users.values()
        ]
        channels = [
            {
                "id": c.id,
                "name": c.name,
                "kind": c.kind,
                "members": sorted(c.members),
                "is_archived": c.is_archived,
                "bot_is_member": app.bot_user in c.members,
            }
            for c in self.state.channels.values()
        ]
        return {
            "team": {"id": seed.team_id, "name": seed.team_name, "domain": seed.team_domain},
            "app": {
                "id": app.id,
                "name": app.name,
                "bot_user": app.bot_user,
                "scopes": list(app.scopes),
                "commands": [asdict(command) for command in app.commands],
            },
            "users": people,
            "channels": channels,
            "request_url": self.request_url,
            "links": self.socket_mode.count,
        }

    def snapshot(self, user: str | None = None) -> Node:
        """Give all that a person's client shows, and the number of the last change that is in it.

        `user`: whose client; the first person of the seed unless given.
        """
        person = self.state.person(user or self._seed.users[0].id)
        rules = facts()
        return {
            "sequence": self.state.changes.count,
            "user": person.id,
            **self.describe(),
            "messages": self.messages(user=person.id),
            "views": self.views(person.id),
            "suggestions": self._suggestions,
            "limits": {
                "message_blocks": rules["surfaces"]["message"]["max_blocks"],
                "message_characters": rules["message"]["blocks_serialized_observed_limit"],
                "modal_blocks": rules["surfaces"]["modal"]["max_blocks"],
                "modal_bytes": rules["view"]["max_view_bytes"],
            },
        }

    async def until(self, holds: Callable[[], bool], within: float = 5.0) -> None:
        """Wait until something holds, looking at every change; `TimeoutError` after `within` seconds."""
        await self.state.changes.until(holds, within)

    # --- trouble ------------------------------------------------------------------------------------------

    @property
    def tier_limits(self) -> bool:
        """Whether Slack's rate limits apply."""
        return self._faults.tier_limits

    @tier_limits.setter
    def tier_limits(self, on: bool) -> None:
        self._faults.tier_limits = on

    def add_faults(self, faults: list[Node]) -> None:
        """Add faults, each `{"method", "times", "then": {…}}`; `faults.Fault` says what `then` may hold."""
        self._faults.pending += [read_fault(fault) for fault in faults]

    def pending_faults(self) -> list[Node]:
        """Give the faults that are still to happen."""
        return [fault.as_dict() for fault in self._faults.pending if fault.times > 0]

    def clear_faults(self) -> None:
        """Forget the faults and switch the rate limits off."""
        self._faults.clear()

    def reset(self) -> None:
        """Go back to the seed; links stay."""
        self.state.clear()
        self._faults.clear()
        self._people.dispatches.clear()
        self.state.changes.say("reset", {})

    async def reset_everything(self) -> None:
        """Go back to the seed, and let whoever started the workspace put back what belongs to it."""
        self.reset()
        if self._on_reset is not None:
            self._on_reset()

    def _transport(self) -> Transport:
        return self._http if self.request_url else self.socket_mode


__all__ = ["ACK_DEADLINE_S", "BadRequestError", "WorkspaceServer"]
