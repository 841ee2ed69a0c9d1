"""Trouble on demand: answers that fail, come late or never come, and Slack's rate limits as a switch."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Any, Final

from sandbox.workspace.errors import BadRequestError

Node = dict[str, Any]

_FAULT_KEYS: Final = {"method", "times", "then"}
_THEN_KEYS: Final = {"status", "error", "headers", "delay_s", "drop", "after_effect"}

# Calls per minute, Slack, page "Rate limits": tier 2, 3 and 4.
_TIERS: Final[dict[str, int]] = {
    "usergroups.users.list": 20,
    "apps.connections.open": 50,
    "chat.update": 50,
    "chat.delete": 50,
    "conversations.info": 50,
    "conversations.open": 50,
    "users.lookupByEmail": 50,
    "chat.postEphemeral": 100,
    "users.info": 100,
    "views.open": 100,
    "views.push": 100,
    "views.update": 100,
    "views.publish": 100,
}
_BURST_PER_CHANNEL: Final = 5
_ABOUT_THE_TOKEN: Final = frozenset(
    {"token_revoked", "token_expired", "invalid_auth", "not_authed", "account_inactive"}
)
_RESPONSE_URL: Final = "response_url"


@dataclass(slots=True)
class Fault:
    """What happens to the next `times` calls of a method (`*`: of any).

    `after_effect` lets the call take effect before its answer is spoilt: written, but the answer is lost.
    `name` is what the switchboard calls it, if it comes from there.
    """

    method: str
    times: int = 1
    status: int = 200
    error: str | None = None
    headers: dict[str, str] | None = None
    delay_s: float = 0.0
    drop: bool = False
    after_effect: bool = False
    name: str | None = None

    @property
    def spoils_the_answer(self) -> bool:
        """Tell whether the answer is another one than the call would give."""
        return self.drop or self.error is not None or self.status != 200

    def strikes(self, method: str) -> bool:
        """Tell whether it happens to calls of a method; a response URL is used without a token."""
        if self.method == "*":
            return method != _RESPONSE_URL or self.error not in _ABOUT_THE_TOKEN
        return self.method == method

    def as_dict(self) -> Node:
        """Give the fault in the form in which it was asked for."""
        then = {name: getattr(self, name) for name in sorted(_THEN_KEYS)}
        return {"method": self.method, "times": self.times, "then": then}


def read_fault(given: object) -> Fault:
    """Read one fault of a `/_sandbox/faults` body."""
    if not isinstance(given, dict) or not isinstance(given.get("method"), str):
        raise BadRequestError("A fault is an object with `method`, `times` and `then`.")
    then = given.get("then", {})
    if set(given) - _FAULT_KEYS or not isinstance(then, dict) or set(then) - _THEN_KEYS:
        raise BadRequestError(f"A fault has {sorted(_FAULT_KEYS)}, its `then` has {sorted(_THEN_KEYS)}.")
    if not isinstance(given.get("times", 1), int) or not isinstance(then.get("status", 200), int):
        raise BadRequestError("`times` and `status` are whole numbers.")
    return Fault(method=given["method"], times=given.get("times", 1), **then)


class Faults:
    """The faults that are still to happen, and the rate limits if they are on."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget every fault and switch the limits off."""
        self.pending: list[Fault] = []
        self.tier_limits = False
        self._seen: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)

    def take(self, method: str) -> Fault | None:
        """Use up one time of the first fault for a method."""
        for fault in self.pending:
            if fault.times > 0 and fault.strikes(method):
                fault.times -= 1
                return fault
        return None

    def retry_after(self, method: str, channel: str, now: float) -> int | None:
        """Count a call and give the seconds to wait if it is one too many (`None`: it may pass).

        Slack, page "Rate limits": a tier is a number of calls a minute; posting is about one message a second
        and channel with short bursts, here five.
        """
        if not self.tier_limits:
            return None
        if method == "chat.postMessage":
            limit, window, key = _BURST_PER_CHANNEL, float(_BURST_PER_CHANNEL), (method, channel)
        elif method in _TIERS:
            limit, window, key = _TIERS[method], 60.0, (method, "")
        else:
            return None
        seen = self._seen[key]
        while seen and now - seen[0] >= window:
            seen.popleft()
        if len(seen) >= limit:
            return max(1, math.ceil(window - (now - seen[0])))
        seen.append(now)
        return None
