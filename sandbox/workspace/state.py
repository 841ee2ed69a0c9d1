"""What the workspace holds: messages, open views, triggers, response URLs; and who is told of changes."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from sandbox.copying import copied
from sandbox.workspace.blockkit import Problem, facts
from sandbox.workspace.errors import BadRequestError, SlackError
from sandbox.workspace.seed import Channel, Seed, User

Node = dict[str, Any]
Problems = Sequence[Problem]
STACK_DEPTH: Final = 3


@dataclass(slots=True)
class Message:
    """One message of a channel as Slack stores it; `to` is the only reader of an ephemeral one."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[Node]
    source: str
    to: str | None = None
    thread_ts: str | None = None
    metadata: Node | None = None
    edits: int = 0
    edited_ts: str | None = None
    problems: list[Problem] = field(default_factory=list)

    def as_dict(self) -> Node:
        """Give the message as `/_sandbox/messages` shows it."""
        return {
            "ts": self.ts,
            "channel": self.channel,
            "user": self.user,
            "text": self.text,
            "blocks": self.blocks,
            "source": self.source,
            "ephemeral": self.to is not None,
            "to": self.to,
            "thread_ts": self.thread_ts,
            "metadata": self.metadata,
            "edits": self.edits,
            "edited_ts": self.edited_ts,
            "problems": [problem.as_dict() for problem in self.problems],
        }


@dataclass(slots=True)
class View:
    """One view that a person has open (or a Home tab), with what was typed and chosen in it so far."""

    id: str
    user: str
    payload: Node
    hash: str
    root: str
    previous: str | None
    values: dict[str, dict[str, Node]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


@dataclass(slots=True)
class Trigger:
    """A trigger id: whom it belongs to, since when, and the view that it came from, if any."""

    id: str
    user: str
    born: float
    view: str | None
    exchanged: bool = False


@dataclass(slots=True)
class ResponseUrl:
    """A response URL; `message` is the one that an interaction came from, `None` for a command's."""

    user: str
    channel: str
    born: float
    message: Message | None
    uses: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """One change: its number, its kind, and what the thing is like now."""

    number: int
    kind: str
    item: Node


class Changes:
    """Tell listeners of every change, and let a waiter sleep until the next one."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[Change]] = set()
        self._waiters: set[asyncio.Event] = set()
        self.count = 0

    def say(self, kind: str, item: Node) -> None:
        """Announce a change; each has a number, so that a listener knows what a snapshot already holds."""
        self.count += 1
        for queue in self._queues:
            queue.put_nowait(Change(self.count, kind, copied(item)))
        for waiter in self._waiters:
            waiter.set()

    def subscribe(self) -> asyncio.Queue[Change]:
        """Open a queue of changes; close it with `unsubscribe`."""
        queue: asyncio.Queue[Change] = asyncio.Queue()
        self._queues.add(queue)
        return queue

    def unsubscribe(self, queue: asyncio.Queue[Change]) -> None:
        """Stop telling a listener."""
        self._queues.discard(queue)

    async def until(self, holds: Callable[[], bool], within: float) -> None:
        """Wait until something holds; raise `TimeoutError` if it does not within `within` seconds."""
        changed = asyncio.Event()
        self._waiters.add(changed)
        try:
            async with asyncio.timeout(within):
                while not holds():
                    changed.clear()
                    await changed.wait()
        finally:
            self._waiters.discard(changed)


class State:
    """The whole workspace; every change goes through here and is announced."""

    def __init__(self, seed: Seed, clock: Callable[[], float]) -> None:
        self.seed = seed
        self.clock = clock
        self.changes = Changes()
        self._sequence = itertools.count(1)
        self._last_ts = 0.0
        self.clear()

    def clear(self) -> None:
        """Go back to the seed."""
        self.users: dict[str, User] = {user.id: user for user in self.seed.users}
        self.channels: dict[str, Channel] = {channel.id: channel for channel in self.seed.channels}
        self.messages: list[Message] = []
        self.views: dict[str, View] = {}
        self.stacks: dict[str, list[str]] = {}
        self.homes: dict[str, View] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.suggestions: dict[tuple[str, str], dict[str, Node]] = {}
        self.calls: list[Node] = []

    # --- people and places -------------------------------------------------------------------------------

    def person(self, user: object) -> User:
        """Find a member by id, or say that there is none."""
        if not isinstance(user, str) or user not in self.users:
            raise BadRequestError(f"There is no user {user!r}; there are {', '.join(self.users)}.")
        return self.users[user]

    def place(self, channel: object) -> Channel:
        """Find a channel by id or by name with or without `#`, or say that there is none."""
        found = self.find_channel(channel)
        if found is None:
            raise BadRequestError(f"There is no channel {channel!r}; there are {', '.join(self.channels)}.")
        return found

    def find_channel(self, channel: object) -> Channel | None:
        """Find a channel by id or by name."""
        if not isinstance(channel, str):
            return None
        if channel in self.channels:
            return self.channels[channel]
        named = (
            c for c in self.channels.values() if c.kind != "direct" and c.name == channel.removeprefix("#")
        )
        return next(named, None)

    def direct_channel(self, user: str) -> Channel | None:
        """Find the direct message between the bot and a person."""
        pair = {user, self.seed.app.bot_user}
        return next((c for c in self.channels.values() if c.kind == "direct" and c.members == pair), None)

    # --- messages ----------------------------------------------------------------------------------------

    def next_ts(self) -> str:
        """Make a timestamp that is later than every other: seconds, a dot, six digits."""
        self._last_ts = max(self.clock(), self._last_ts + 0.000_001)
        return f"{self._last_ts:.6f}"

    def add_message(self, message: Message) -> Message:
        """Keep a message, naming its blocks and elements where the app did not."""
        message.blocks = self.stored(message.blocks)
        self.messages.append(message)
        self.changes.say("message", message.as_dict())
        return message

    def edit_message(self, message: Message, *, text: str | None, blocks: list[Node] | None) -> None:
        """Replace what is given and count the edit; what is not given stays."""
        message.text = message.text if text is None else text
        message.blocks = message.blocks if blocks is None else self.stored(blocks)
        message.edits += 1
        message.edited_ts = self.next_ts()
        self.changes.say("message", message.as_dict())

    def delete_message(self, message: Message) -> None:
        """Take a message away."""
        self.messages.remove(message)
        self.changes.say("deleted", {"ts": message.ts, "channel": message.channel})

    def find_message(self, ts: object, channel: str | None = None) -> Message | None:
        """Find a message by its timestamp."""
        wanted = (m for m in self.messages if m.ts == ts and channel in (None, m.channel))
        return next(wanted, None)

    def stored(self, blocks: list[Node]) -> list[Node]:
        """Copy blocks as Slack keeps them: block_id and action_id given where missing, flags spelled out."""
        kept = copied(blocks)
        interactive = facts()["interactive"]

        def complete(node: object) -> None:
            if isinstance(node, list):
                for child in node:
                    complete(child)
            elif isinstance(node, dict):
                if node.get("type") == "plain_text":
                    node.setdefault("emoji", True)
                elif node.get("type") == "mrkdwn":
                    node.setdefault("verbatim", False)
                elif node.get("type") in interactive:
                    node.setdefault("action_id", self.name("a"))
                for child in list(node.values()):
                    complete(child)

        for block in kept:
            block.setdefault("block_id", self.name("b"))
            complete(block)
        return kept

    def name(self, prefix: str) -> str:
        """Make an identifier that no other thing has."""
        return f"{prefix}{next(self._sequence):05d}{secrets.token_hex(2)}"

    # --- triggers and response URLs ----------------------------------------------------------------------

    def new_trigger(self, user: str, view: str | None = None) -> str:
        """Make a trigger id for a gesture of a person."""
        made = f"{int(self.clock() * 1000)}.{next(self._sequence)}.{secrets.token_hex(16)}"
        self.triggers[made] = Trigger(made, user, self.clock(), view)
        return made

    def exchange(self, trigger_id: object) -> Trigger:
        """Use a trigger up: once, and within three seconds."""
        trigger = self.triggers.get(trigger_id) if isinstance(trigger_id, str) else None
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.exchanged:
            raise SlackError("exchanged_trigger_id")
        if self.clock() - trigger.born > facts()["view"]["trigger_id_ttl_s"]:
            raise SlackError("expired_trigger_id")
        trigger.exchanged = True
        return trigger

    def new_response_url(
        self, kind: Literal["commands", "actions"], user: str, channel: str, message: Message | None = None
    ) -> str:
        """Make the path of a response URL."""
        path = f"/{kind}/{self.seed.team_id}/{next(self._sequence):08d}/{secrets.token_urlsafe(18)}"
        self.response_urls[path] = ResponseUrl(user, channel, self.clock(), message)
        return path

    # --- views -------------------------------------------------------------------------------------------

    def stack(self, user: str) -> list[View]:
        """Give a person's open views, the root first."""
        return [self.views[view_id] for view_id in self.stacks.get(user, [])]

    def open_view(self, user: str, payload: Node, *, push: bool, problems: Problems = ()) -> View:
        """Open a view as the root of a new stack, or push it onto the open one (at most three deep)."""
        below = self.stack(user) if push else []
        if len(below) >= STACK_DEPTH:
            raise SlackError("push_limit_reached")
        self._refuse_repeated_external_id(payload)
        if not push:
            self.close_views(user, count=None)
        made = self._make_view(user, payload, below[-1] if below else None, problems)
        self.views[made.id] = made
        self.stacks.setdefault(user, []).append(made.id)
        self._say_views(user)
        return made

    def publish_home(self, user: str, payload: Node, *, problems: Problems = ()) -> View:
        """Replace a person's Home tab."""
        old = self.homes.pop(user, None)
        if old is not None:
            del self.views[old.id]
        made = self._make_view(user, payload, None, problems)
        self.views[made.id] = self.homes[user] = made
        self.changes.say("home", {"user": user, "view": self.view_object(made)})
        return made

    def replace_view(self, view: View, payload: Node, *, problems: Problems = ()) -> None:
        """Put another payload into an open view; inputs that keep their block and action keep their value."""
        if payload.get("external_id") != view.payload.get("external_id"):
            self._refuse_repeated_external_id(payload)
        view.payload = {**payload, "blocks": self.stored(payload["blocks"])}
        view.hash = self._new_hash()
        kept = {block["block_id"] for block in view.payload["blocks"]}
        view.values = {block_id: actions for block_id, actions in view.values.items() if block_id in kept}
        view.errors = {}
        view.problems = list(problems)
        self._say_views(view.user)

    def show_errors(self, view: View, errors: dict[str, str]) -> None:
        """Show errors beside the blocks of an open view."""
        view.errors = errors
        self._say_views(view.user)

    def close_from(self, view: View) -> None:
        """Close a view and what stands on it; nothing if it is closed already."""
        stack = self.stacks.get(view.user, [])
        if view.id in stack:
            self.close_views(view.user, count=len(stack) - stack.index(view.id))

    def close_views(self, user: str, *, count: int | None = 1) -> list[View]:
        """Close the topmost views of a person (`None`: all) and give them back, the topmost first."""
        stack = self.stacks.get(user, [])
        closing = [self.views.pop(view_id) for view_id in reversed(stack[-count:] if count else stack)]
        self.stacks[user] = stack[: len(stack) - len(closing)]
        if closing:
            self._say_views(user)
        return closing

    def view_object(self, view: View) -> Node:
        """Write a view as Slack gives it back and sends it in interactions."""
        app, payload = self.seed.app, view.payload
        return {
            "id": view.id,
            "team_id": self.seed.team_id,
            "type": payload["type"],
            "blocks": payload["blocks"],
            "private_metadata": payload.get("private_metadata", ""),
            "callback_id": payload.get("callback_id", ""),
            "state": {"values": copied(view.values)},
            "hash": view.hash,
            "title": _emoji(payload.get("title")),
            "clear_on_close": payload.get("clear_on_close", False),
            "notify_on_close": payload.get("notify_on_close", False),
            "close": _emoji(payload.get("close")),
            "submit": _emoji(payload.get("submit")),
            "previous_view_id": view.previous,
            "root_view_id": view.root,
            "app_id": app.id,
            "external_id": payload.get("external_id", ""),
            "app_installed_team_id": self.seed.team_id,
            "bot_id": app.bot_id,
        }

    def _make_view(self, user: str, payload: Node, below: View | None, problems: Problems) -> View:
        view_id = self.name("V").upper()
        return View(
            id=view_id,
            user=user,
            payload={**payload, "blocks": self.stored(payload["blocks"])},
            hash=self._new_hash(),
            root=below.root if below else view_id,
            previous=below.id if below else None,
            problems=list(problems),
        )

    def _refuse_repeated_external_id(self, payload: Node) -> None:
        name = payload.get("external_id")
        if name and any(view.payload.get("external_id") == name for view in self.views.values()):
            raise SlackError("duplicate_external_id")

    def _new_hash(self) -> str:
        return f"{int(self.clock())}.{secrets.token_hex(4)}"

    def _say_views(self, user: str) -> None:
        self.changes.say("views", {"user": user, "views": self.views_of(user)})

    def views_of(self, user: str) -> list[Node]:
        """Give a person's open views with the errors shown in them and the product's verdict."""
        return [
            {
                **self.view_object(view),
                "user": view.user,
                "errors": view.errors,
                "problems": [problem.as_dict() for problem in view.problems],
            }
            for view in self.stack(user)
        ]


def _emoji(text: Node | None) -> Node | None:
    return None if text is None else {"emoji": True, **text}
