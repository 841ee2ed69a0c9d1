"""What to do after an attempt failed: wait how long, or stop, and whether the write may have happened.

A decision is a value, made from facts about the attempt, so that every rule is a row of a table in the tests.
Sources: Microsoft Graph pages "Microsoft Graph throttling guidance" and "Microsoft Graph error responses".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final, TypeAlias

CEILING: Final = 60.0
"""Seconds that one request may take in all, waits included: about as long as a person looks at a message."""

_LONGEST_BACKOFF: Final = 16.0
_SHORTEST_REPEAT: Final = 2.0
_FRESH_CEILING: Final = 30.0
"""Seconds that a directory replica may need to show a new object."""
_BUSY_TRIES: Final = 5
_CONNECTION_TRIES: Final = 3
"""A system that cannot be reached is said to be unreachable soon, not after the whole ceiling."""


class Effect(StrEnum):
    """What sending a request a second time would do."""

    READ = "read"
    """Nothing: it only reads."""
    REPEATABLE = "repeatable"
    """Nothing more than the first time: it sets values, or takes a link away."""
    ONCE = "once"
    """Perhaps a second object or a false refusal: it is sent again only when it surely did not happen."""


class Failure(StrEnum):
    """The ways an attempt fails."""

    NOT_SENT = "not sent"
    """No connection was made, so nothing happened."""
    NO_ANSWER = "no answer"
    """It was sent, or may have been, and the answer did not come."""
    THROTTLED = "throttled"
    """Refused for now, and not carried out."""
    BUSY = "busy"
    """Another change of the same object was going on; not carried out."""
    TRANSIENT = "transient"
    """An error of the service; a write may have been carried out."""
    NOT_VISIBLE = "not visible"
    """An object that was just made is not known yet where the request went."""
    FINAL = "final"
    """A refusal that stays."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """How the latest attempt went. `tries` counts it; `elapsed` are seconds since the first one began."""

    effect: Effect
    failure: Failure
    tries: int
    elapsed: float
    retry_after: float | None = None
    fresh: bool = False
    """The request is about an object made moments ago."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Try again after so many seconds. `new_connection`: not over the connection that just failed."""

    seconds: float
    why: Failure
    new_connection: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """Do not try again. `unknown`: the write may have been carried out all the same."""

    unknown: bool = False
    asked: float | None = None
    """Seconds the service wanted us to wait, when that was too long."""


Decision: TypeAlias = Wait | Stop


def decide(attempt: Attempt, *, jitter: float = 0.0, ceiling: float = CEILING) -> Decision:
    """Say what follows a failed attempt. `jitter`, from 0 to 1, spreads the waits of many clients."""
    if attempt.failure is Failure.FINAL or not _may_repeat(attempt):
        return Stop(unknown=_may_have_happened(attempt))
    seconds = _pause(attempt, jitter)
    limit = min(ceiling, _FRESH_CEILING) if attempt.failure is Failure.NOT_VISIBLE else ceiling
    if attempt.elapsed + seconds > limit:
        return Stop(unknown=_may_have_happened(attempt), asked=attempt.retry_after)
    return Wait(seconds, attempt.failure, new_connection=attempt.failure in _CONNECTION_SUSPECT)


_CONNECTION_SUSPECT: Final = frozenset({Failure.TRANSIENT, Failure.NO_ANSWER})
_OUTCOME_OPEN: Final = frozenset({Failure.TRANSIENT, Failure.NO_ANSWER})
_MOST_TRIES: Final = {
    Failure.BUSY: _BUSY_TRIES,
    Failure.NOT_SENT: _CONNECTION_TRIES,
    Failure.NO_ANSWER: _CONNECTION_TRIES,
}


def _may_repeat(attempt: Attempt) -> bool:
    if attempt.failure in _OUTCOME_OPEN and attempt.effect is Effect.ONCE:
        return False
    if attempt.failure is Failure.NOT_VISIBLE:
        return attempt.fresh
    return attempt.tries < _MOST_TRIES.get(attempt.failure, math.inf)


def _may_have_happened(attempt: Attempt) -> bool:
    return attempt.effect is not Effect.READ and attempt.failure in _OUTCOME_OPEN


def _pause(attempt: Attempt, jitter: float) -> float:
    doublings = min(attempt.tries - 1, 10)
    backoff: float = min(_LONGEST_BACKOFF, 0.5 * 2**doublings) * (1 + jitter)
    if attempt.retry_after is None:
        return backoff
    # Never a moment before the service said; a little after, so that a storm does not come back as one.
    asked = attempt.retry_after + min(1.0, 0.1 * attempt.retry_after) * jitter
    # A service that says "at once" again and again is not to be asked without end.
    return asked if attempt.tries == 1 else max(asked, min(backoff, _SHORTEST_REPEAT))


def parse_retry_after(text: str | None, *, now: datetime, date: str | None = None) -> float | None:
    """Read a Retry-After header: seconds, whole or with a fraction, or an HTTP date (RFC 9110, 10.2.3).

    A date is measured against the answer's own Date header where there is one, so that a wrong clock does not
    matter, else against `now`. Returns None for anything that makes no sense.
    """
    if text is None:
        return None
    try:
        seconds = float(text.strip())
    except ValueError:
        until = _http_date(text)
        if until is None:
            return None
        return max(0.0, (until - (_http_date(date) or now)).total_seconds())
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _http_date(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        parsed = parsedate_to_datetime(text.strip())
    except (ValueError, IndexError, TypeError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
