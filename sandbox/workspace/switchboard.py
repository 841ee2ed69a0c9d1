"""The switchboard of the page: what can go wrong at Slack and the other stand-ins, switched on and off.

Slack's own faults are ordered in this process. Another stand-in is asked over its own `/_sandbox/faults`: the
address is all that is known of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import aiohttp

from sandbox.workspace.errors import BadRequestError
from sandbox.workspace.faults import Faults, read_fault

Node = dict[str, Any]
_PATIENCE_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to switch on: its name, what to call it, what then happens, and the faults behind it."""

    name: str
    label: str
    description: str
    faults: tuple[Node, ...]

    def as_dict(self) -> Node:
        """Give the choice as the page shows it."""
        return {"choice": self.name, "label": self.label, "description": self.description}


class Board(Protocol):
    """The faults of one system."""

    title: str

    async def describe(self) -> Node:
        """Give `choices`, each `{"choice", "label", "description"}`, and `active`, each with `times` left."""
        ...

    async def switch_on(self, choice: str) -> None:
        """Order what a choice stands for; raise BadRequestError where there is none of that name."""
        ...

    async def clear(self) -> None:
        """Switch everything off."""
        ...


SLACK: Final = (
    Choice(
        "throttled",
        "Throttled (429)",
        "Two changes of a message are refused, with a second to wait. The newest state comes all the same.",
        ({"method": "chat.update", "times": 2, "then": {"status": 429, "headers": {"Retry-After": "1"}}},),
    ),
    Choice(
        "unavailable",
        "Out of order (503)",
        "Two changes of a message fail.",
        ({"method": "chat.update", "times": 2, "then": {"status": 503}},),
    ),
    Choice(
        "slow",
        "Slow answers",
        "The next four calls take two seconds each.",
        ({"method": "*", "times": 4, "then": {"delay_s": 2.0}},),
    ),
    Choice(
        "late",
        "Modal too late",
        "The next modal is refused, because the click is more than three seconds ago.",
        ({"method": "views.open", "times": 1, "then": {"error": "expired_trigger_id"}},),
    ),
    Choice(
        "not-in-channel",
        "Not in the channel",
        "The next message cannot be posted by the app itself.",
        ({"method": "chat.postMessage", "times": 1, "then": {"error": "channel_not_found"}},),
    ),
    Choice(
        "revoked",
        "Token revoked",
        "The next three calls are refused, as after the app was removed.",
        ({"method": "*", "times": 3, "then": {"error": "token_revoked"}},),
    ),
)

DIRECTORY: Final = (
    Choice("busy", "Busy", "The next search is answered “busy”.", ({"kind": "busy"},)),
    Choice(
        "unavailable",
        "Out of order",
        "The next search is answered “unavailable”.",
        ({"kind": "unavailable"},),
    ),
    Choice(
        "drop-mid-answer",
        "Connection lost in mid-answer",
        "The connection ends after half of the next answer.",
        ({"kind": "drop-mid-answer"},),
    ),
    Choice(
        "delay",
        "Slow answers",
        "The next three searches take three seconds each.",
        ({"kind": "delay", "seconds": 3, "times": 3},),
    ),
    Choice(
        "hang",
        "No answer at all",
        "The next search is never answered, and given up in time.",
        ({"kind": "hang"},),
    ),
    Choice(
        "insufficient-rights",
        "No right to read",
        "The next search is refused for want of rights.",
        ({"kind": "insufficient-rights"},),
    ),
)


class SlackBoard:
    """The faults of this workspace."""

    title = "Slack"

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    async def describe(self) -> Node:
        """Give choices and what is on, whatever ordered it."""
        labels = {choice.name: choice.label for choice in SLACK}
        active = [
            {"choice": fault.name, "label": labels.get(fault.name or "", fault.method), "times": fault.times}
            for fault in self._faults.pending
            if fault.times > 0
        ]
        return {"choices": [choice.as_dict() for choice in SLACK], "active": active}

    async def switch_on(self, choice: str) -> None:
        """Order the faults of a choice."""
        for given in _named(SLACK, choice).faults:
            fault = read_fault(given)
            fault.name = choice
            self._faults.pending.append(fault)

    async def clear(self) -> None:
        """Forget every fault and the rate limits."""
        self._faults.clear()


class RemoteBoard:
    """The faults of another stand-in, by its `/_sandbox/faults`.

    Args:
        title: what people call the system.
        address: of its switches, up to `/_sandbox`.
        choices: what can be switched on; `None` where the stand-in tells it itself, as `kinds`.

    """

    def __init__(self, title: str, address: str, choices: Sequence[Choice] | None = None) -> None:
        self.title = title
        self._address = f"{address}/faults"
        self._choices = choices

    async def describe(self) -> Node:
        """Ask the stand-in; `reachable` is false where it does not answer."""
        try:
            told = await self._ask("GET")
        except (aiohttp.ClientError, TimeoutError):
            return {"choices": [], "active": [], "reachable": False}
        kinds = told.get("kinds", []) if isinstance(told, dict) else []
        choices = [choice.as_dict() for choice in self._choices or ()] or [_of_kind(kind) for kind in kinds]
        labels = {choice["choice"]: choice["label"] for choice in choices}
        active = [
            {
                "choice": rule.get("kind"),
                "label": labels.get(rule.get("kind"), "By hand"),
                "times": rule["times"],
            }
            for rule in (told["active"] if isinstance(told, dict) else told)
        ]
        return {"choices": choices, "active": active}

    async def switch_on(self, choice: str) -> None:
        """Order the faults of a choice."""
        given = [{"kind": choice}] if self._choices is None else list(_named(self._choices, choice).faults)
        answer = await self._ask("POST", given)
        if isinstance(answer, dict) and "error" in answer:
            raise BadRequestError(str(answer["error"]))

    async def clear(self) -> None:
        """Switch everything off."""
        await self._ask("DELETE")

    async def _ask(self, verb: str, body: Any = None) -> Any:
        timeout = aiohttp.ClientTimeout(total=_PATIENCE_S)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(verb, self._address, json=body) as response,
        ):
            return await response.json()


class Switchboard:
    """The boards of all systems, each by its name."""

    def __init__(self, boards: Callable[[], Mapping[str, Board]]) -> None:
        self._boards = boards

    async def describe(self) -> Node:
        """Give `{"boards": [{"board", "title", "choices", "active", "reachable"}]}`."""
        told = [
            {"board": name, "title": board.title, "reachable": True, **await board.describe()}
            for name, board in self._boards().items()
        ]
        return {"boards": told}

    async def switch_on(self, board: str, choice: str) -> Node:
        """Order what a choice of a board stands for and describe what is on then."""
        found = self._boards().get(board)
        if found is None:
            raise BadRequestError(f"There is no board {board!r}; there are {', '.join(self._boards())}.")
        try:
            await found.switch_on(choice)
        except (aiohttp.ClientError, TimeoutError):
            raise BadRequestError(f"{found.title} does not answer.") from None
        return {"ok": True, **await self.describe()}

    async def clear(self) -> Node:
        """Switch everything off, as far as it answers."""
        for board in self._boards().values():
            try:
                await board.clear()
            except (aiohttp.ClientError, TimeoutError):
                continue
        return {"ok": True, **await self.describe()}


def _named(choices: Sequence[Choice], name: str) -> Choice:
    for choice in choices:
        if choice.name == name:
            return choice
    raise BadRequestError(f"There is no {name!r}; there are {', '.join(choice.name for choice in choices)}.")


def _of_kind(kind: Node) -> Node:
    return {"choice": kind["kind"], "label": kind["label"], "description": kind["description"]}
