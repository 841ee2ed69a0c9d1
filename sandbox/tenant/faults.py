"""The fault switchboard: answers that go wrong on purpose, so that a client can be seen handling them.

Over HTTP, on the tenant's own port:

- `GET /_sandbox/faults` gives `{"kinds": [{"kind", "label", "description", "times", "seconds"}], "active":
  [{"kind", "label", "match", "times", "then"}], "struck": [{"kind", "label", "method", "path"}]}`. A kind's
  `times` and `seconds` are what holds when the caller names none; `seconds` is null where it means nothing.
  `active` are the rules that still wait, with the strikes they have left (null: until cleared); `struck` are
  the last twenty that hit, oldest first. `kind` and `label` are null for a rule that was written by hand.
- `POST /_sandbox/faults` takes `{"kind": "throttled-seconds"}`, also with `times`, `seconds` and `match`, or
  a rule by hand `{"match": {"method", "path_regex", "part"}, "times", "then": {…}, "next"}`, or a list of
  both. An empty body, `{}` or `[]` switches every fault off. It answers `{"ok": true, "active": […]}`, or 400
  and `{"error": "…"}`, and then nothing of a list is taken.
- `DELETE /_sandbox/faults` switches all off, `DELETE /_sandbox/faults?kind=K` those of one kind.

In one process `TenantServer.faults()`, `.inject(…)` and `.clear_faults(…)` do the same.

By hand: `method` is a name or a list of names, `path_regex` is searched in the decoded target, `part` is
`request` or `step` (of a batch). `then` takes `status`, `code`, `message`, `headers`, `retry_after` (`form`:
`seconds`, `fraction` or `date`, and `seconds`), `delay_s`, `drop` (`before` or `after` the write),
`stale_reads`, `apply_then_status`, and `token_roles`: while the rule is in force a token carries these roles
only, and one that carries more has run out. `next` is a rule that is in force once this one has struck.
"""

from __future__ import annotations

import math
import re
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from sandbox.tenant import fault_kinds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_RULE_KEYS = frozenset({"match", "times", "then", "next"})
_KIND_KEYS = frozenset({"kind", "times", "seconds", "match"})
_MATCH_KEYS = frozenset({"method", "path_regex", "part"})
_THEN_KEYS = frozenset(
    {
        "status",
        "code",
        "message",
        "headers",
        "retry_after",
        "delay_s",
        "drop",
        "stale_reads",
        "apply_then_status",
        "token_roles",
    }
)
_FORMS = frozenset({"seconds", "fraction", "date"})
_REMEMBERED = 20


class ConnectionDropped(Exception):
    """The switchboard wants the connection closed without an answer."""


class FaultError(ValueError):
    """A fault rule that does not fit the format."""


@dataclass(slots=True)
class Fault:
    """One rule: what it matches, how often it still strikes (None: always), and what then happens."""

    match: Mapping[str, Any]
    then: Mapping[str, Any]
    methods: frozenset[str]
    path: re.Pattern[str]
    part: str | None
    times: int | None
    kind: fault_kinds.Kind | None = None
    next: Fault | None = None
    status: int | None = None
    code: str | None = None
    message: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: tuple[str, float] | None = None
    delay_s: float = 0.0
    drop: str | None = None
    stale_reads: int = 0
    apply_then_status: int | None = None
    token_roles: tuple[str, ...] | None = None

    def describe(self) -> dict[str, Any]:
        """Show the rule as it was posted, with the strikes that are left."""
        rule = {**self._name(), "match": dict(self.match), "times": self.times, "then": dict(self.then)}
        return rule if self.next is None else {**rule, "next": self.next.describe()}

    def struck(self, method: str, target: str) -> dict[str, Any]:
        """Show one strike."""
        return {**self._name(), "method": method, "path": target}

    def _name(self) -> dict[str, Any]:
        return {"kind": self.kind and self.kind.name, "label": self.kind and self.kind.label}

    def hits(self, method: str, target: str, part: str) -> bool:
        """Say whether the rule is about a request, or a step of a batch."""
        if self.token_roles is not None or self.part not in {None, part}:
            return False
        return (not self.methods or method in self.methods) and self.path.search(target) is not None

    def answer_headers(self, now: datetime) -> dict[str, str]:
        """Give the headers of the bad answer; a wait as a date counts from now (RFC 9110, section 10.2.3)."""
        if self.wait is None:
            return dict(self.headers)
        form, seconds = self.wait
        spelt = {
            "seconds": str(math.ceil(seconds)),
            "fraction": f"{seconds:.3f}",
            "date": format_datetime(now + timedelta(seconds=seconds), usegmt=True),
        }
        return {**self.headers, "Retry-After": spelt[form]}


class Switchboard:
    """The rules in force, in the order they were posted."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []
        self._struck: deque[dict[str, Any]] = deque(maxlen=_REMEMBERED)

    def add(self, rules: Any) -> None:
        """Add a rule or a list of rules, or clear for nothing; raise FaultError and then add none."""
        if rules is None or rules in ({}, []):
            self.clear()
            return
        listed = rules if isinstance(rules, list) else [rules]
        self._rules.extend([parse(rule) for rule in listed])

    def clear(self, kind: str | None = None) -> None:
        """Switch every fault off, or those of one kind; raise FaultError for a kind that there is not."""
        if kind is not None:
            named = _kind(kind)
            self._rules = [rule for rule in self._rules if rule.kind is not named]
            return
        self._rules.clear()
        self._struck.clear()

    def describe(self) -> dict[str, Any]:
        """Show what can be switched on, what is on, and what has struck."""
        return {
            "kinds": [kind.describe() for kind in fault_kinds.KINDS.values()],
            "active": [rule.describe() for rule in self._rules],
            "struck": list(self._struck),
        }

    def strike(self, method: str, target: str, part: str = "request") -> Fault | None:
        """Give the first rule that matches a request (its decoded path and query) and count it."""
        for rule in self._rules:
            if rule.hits(method, target, part):
                self._struck.append(rule.struck(method, target))
                if rule.next is not None:
                    self._rules.append(rule.next)
                    rule.next = None
                if rule.times is not None:
                    rule.times -= 1
                    if rule.times <= 0:
                        self._rules.remove(rule)
                return rule
        return None

    def token_roles(self, granted: tuple[str, ...], *, issued_at: str = "") -> tuple[str, ...]:
        """Give the roles that a token carries now, of those granted; `issued_at` is where one is issued."""
        for rule in self._rules:
            if rule.token_roles is not None:
                if issued_at:
                    self._struck.append(rule.struck("POST", issued_at))
                return rule.token_roles
        return granted


def parse(rule: Any) -> Fault:
    """Read one rule, by kind or by hand (see the module); raise FaultError."""
    if isinstance(rule, dict) and "kind" in rule:
        return _of_kind(rule)
    if not isinstance(rule, dict) or set(rule) - _RULE_KEYS or not isinstance(rule.get("then"), dict):
        raise FaultError(f"a fault is an object with kind, or with match, times and then: {rule!r}")
    match, then = rule.get("match") or {}, rule["then"]
    if not isinstance(match, dict) or set(match) - _MATCH_KEYS or set(then) - _THEN_KEYS or not then:
        raise FaultError(f"match takes {sorted(_MATCH_KEYS)}, then takes {sorted(_THEN_KEYS)}")
    if then.get("drop") not in {None, "before", "after"}:
        raise FaultError("drop is before or after")
    if match.get("part") not in {None, "request", "step"}:
        raise FaultError("part is request or step")
    try:
        path = re.compile(str(match.get("path_regex", "")))
    except re.error as error:
        raise FaultError(f"path_regex: {error}") from None
    roles = then.get("token_roles")
    return Fault(
        match=match,
        then=then,
        methods=_methods(match.get("method")),
        path=path,
        part=match.get("part"),
        next=parse(rule["next"]) if rule.get("next") is not None else None,
        times=_times(rule.get("times", 1)),
        status=_whole(then, "status"),
        code=then.get("code"),
        message=then.get("message"),
        headers={str(name): str(value) for name, value in (then.get("headers") or {}).items()},
        wait=_wait(then.get("retry_after")),
        delay_s=_seconds(then.get("delay_s", 0), "delay_s"),
        drop=then.get("drop"),
        stale_reads=_whole(then, "stale_reads") or 0,
        apply_then_status=_whole(then, "apply_then_status"),
        token_roles=tuple(map(str, roles)) if isinstance(roles, list) else None,
    )


def _of_kind(rule: Mapping[str, Any]) -> Fault:
    if set(rule) - _KIND_KEYS:
        raise FaultError(f"a fault of a kind takes {sorted(_KIND_KEYS)}")
    kind = _kind(rule["kind"])
    seconds = rule.get("seconds")
    if seconds is not None and kind.seconds is None:
        raise FaultError(f"{kind.name} takes no seconds")
    asked = kind.seconds if seconds is None else _seconds(seconds, "seconds")
    made = {"match": rule.get("match") or kind.match, "then": kind.then(asked)}
    fault = parse({**made, "times": rule.get("times", kind.times)})
    fault.kind = kind
    return fault


def _kind(name: Any) -> fault_kinds.Kind:
    kind = fault_kinds.KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise FaultError(f"kind is one of {', '.join(fault_kinds.KINDS)}")
    return kind


def _methods(given: Any) -> frozenset[str]:
    if not given:
        return frozenset()
    return frozenset(str(one).upper() for one in (given if isinstance(given, list) else [given]))


def _times(given: Any) -> int | None:
    if given is not None and (not isinstance(given, int) or isinstance(given, bool) or given < 1):
        raise FaultError("times is a positive number, or null for always")
    return given


def _wait(given: Any) -> tuple[str, float] | None:
    if given is None:
        return None
    if not isinstance(given, dict) or given.get("form") not in _FORMS:
        raise FaultError(f"retry_after is an object with seconds and form, one of {sorted(_FORMS)}")
    return given["form"], _seconds(given.get("seconds", 1), "seconds")


def _seconds(given: Any, name: str) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given < math.inf:
        raise FaultError(f"{name} is a number of seconds")
    return float(given)


def _whole(then: Mapping[str, Any], name: str) -> int | None:
    value = then.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise FaultError(f"{name} is a whole number")
    return value
