"""The fault switchboard: answers that go wrong on purpose, so that a client can be seen handling them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_RULE_KEYS = frozenset({"match", "times", "then"})
_MATCH_KEYS = frozenset({"method", "path_regex"})
_THEN_KEYS = frozenset(
    {"status", "code", "message", "headers", "delay_s", "drop", "stale_reads", "apply_then_status"}
)


class ConnectionDropped(Exception):
    """The switchboard wants the connection closed without an answer."""


class FaultError(ValueError):
    """A fault rule that does not fit the format."""


@dataclass(slots=True)
class Fault:
    """One rule: what it matches, how often it still strikes (None: always), and what then happens."""

    method: str | None
    path: re.Pattern[str]
    times: int | None
    status: int | None = None
    code: str | None = None
    message: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    drop: str | None = None
    stale_reads: int = 0
    apply_then_status: int | None = None

    def describe(self) -> dict[str, Any]:
        """Show the rule as it was posted, with the strikes that are left."""
        then: dict[str, Any] = {
            name: getattr(self, name) for name in sorted(_THEN_KEYS) if getattr(self, name)
        }
        match = {"path_regex": self.path.pattern} | ({"method": self.method} if self.method else {})
        return {"match": match, "times": self.times, "then": then}


class Switchboard:
    """The rules in force, in the order they were posted."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []

    def add(self, rules: Any) -> None:
        """Add a rule or a list of rules; raise FaultError and add none when one does not fit."""
        listed = rules if isinstance(rules, list) else [rules]
        self._rules.extend([parse(rule) for rule in listed])

    def clear(self) -> None:
        """Switch every fault off."""
        self._rules.clear()

    def describe(self) -> list[dict[str, Any]]:
        """Show the rules in force."""
        return [rule.describe() for rule in self._rules]

    def strike(self, method: str, target: str) -> Fault | None:
        """Give the first rule that matches a request (its decoded path and query) and count it."""
        for rule in self._rules:
            if (rule.method is None or rule.method == method) and rule.path.search(target):
                if rule.times is not None:
                    rule.times -= 1
                    if rule.times <= 0:
                        self._rules.remove(rule)
                return rule
        return None


def parse(rule: Any) -> Fault:
    """Read one rule: {"match": {method?, path_regex?}, "times": 1, "then": {…}}; raise FaultError."""
    if not isinstance(rule, dict) or set(rule) - _RULE_KEYS or not isinstance(rule.get("then"), dict):
        raise FaultError(f"a fault is an object with match, times and then: {rule!r}")
    match, then = rule.get("match") or {}, rule["then"]
    if not isinstance(match, dict) or set(match) - _MATCH_KEYS or set(then) - _THEN_KEYS or not then:
        raise FaultError(f"match takes {sorted(_MATCH_KEYS)}, then takes {sorted(_THEN_KEYS)}")
    if then.get("drop") not in {None, "before", "after"}:
        raise FaultError("drop is before or after")
    times = rule.get("times", 1)
    if times is not None and (not isinstance(times, int) or times < 1):
        raise FaultError("times is a positive number, or null for always")
    try:
        path = re.compile(str(match.get("path_regex", "")))
    except re.error as error:
        raise FaultError(f"path_regex: {error}") from None
    method = match.get("method")
    return Fault(
        method=str(method).upper() if method else None,
        path=path,
        times=times,
        status=_number(then, "status"),
        code=then.get("code"),
        message=then.get("message"),
        headers={str(name): str(value) for name, value in (then.get("headers") or {}).items()},
        delay_s=float(then.get("delay_s", 0)),
        drop=then.get("drop"),
        stale_reads=_number(then, "stale_reads") or 0,
        apply_then_status=_number(then, "apply_then_status"),
    )


def _number(then: Mapping[str, Any], name: str) -> int | None:
    value = then.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise FaultError(f"{name} is a whole number")
    return value
