"""When a request to Microsoft Graph is sent again, and after how long."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.adapters.graph.retry import (
    Attempt,
    Effect,
    Failure,
    Stop,
    Wait,
    decide,
    parse_retry_after,
)

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("effect", "failure", "again", "unknown"),
    [
        pytest.param(Effect.READ, Failure.THROTTLED, True, False, id="a throttled read waits"),
        pytest.param(Effect.ONCE, Failure.THROTTLED, True, False, id="a throttled create did not happen"),
        pytest.param(Effect.READ, Failure.TRANSIENT, True, False, id="a read may always be repeated"),
        pytest.param(Effect.REPEATABLE, Failure.TRANSIENT, True, False, id="setting values twice is once"),
        pytest.param(Effect.ONCE, Failure.TRANSIENT, False, True, id="a create behind a 503 may be done"),
        pytest.param(Effect.READ, Failure.NO_ANSWER, True, False, id="a read is asked again"),
        pytest.param(Effect.REPEATABLE, Failure.NO_ANSWER, True, False, id="a lost patch is sent again"),
        pytest.param(Effect.ONCE, Failure.NO_ANSWER, False, True, id="a lost create is never sent again"),
        pytest.param(Effect.ONCE, Failure.NOT_SENT, True, False, id="no connection, nothing happened"),
        pytest.param(Effect.ONCE, Failure.BUSY, True, False, id="another change was going on"),
        pytest.param(Effect.READ, Failure.FINAL, False, False, id="a refusal stays"),
        pytest.param(Effect.ONCE, Failure.FINAL, False, False, id="a refused create is surely not done"),
        pytest.param(Effect.READ, Failure.NOT_VISIBLE, False, False, id="an old object that is gone"),
    ],
)
def test_each_failure_of_each_kind_of_request(
    *, effect: Effect, failure: Failure, again: bool, unknown: bool
) -> None:
    """A write that may have been carried out is repeated only when that changes nothing."""
    decision = decide(Attempt(effect, failure, tries=1, elapsed=0.1))
    assert isinstance(decision, Wait) is again
    if isinstance(decision, Stop):
        assert decision.unknown is unknown


def test_a_fresh_object_is_waited_for_no_longer_than_replicas_take() -> None:
    """Not found, for an object made moments ago, means not yet visible: for half a minute."""
    early = Attempt(Effect.READ, Failure.NOT_VISIBLE, tries=1, elapsed=1.0, fresh=True)
    late = Attempt(Effect.READ, Failure.NOT_VISIBLE, tries=7, elapsed=29.0, fresh=True)
    assert isinstance(decide(early), Wait)
    assert decide(late) == Stop(unknown=False)


@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("asked", [0.0, 0.4, 2.128, 12.0, 40.0])
def test_never_earlier_than_asked(asked: float, jitter: float) -> None:
    """Retry-After is a lower bound, whatever the jitter."""
    attempt = Attempt(Effect.READ, Failure.THROTTLED, tries=1, elapsed=0, retry_after=asked)
    decision = decide(attempt, jitter=jitter)
    assert isinstance(decision, Wait)
    assert asked <= decision.seconds <= asked + 1.0


def test_a_service_that_says_at_once_is_not_asked_without_end() -> None:
    """Retry-After: 0 is taken at its word once; then there are pauses all the same."""
    elapsed, tries = 0.0, 0
    while True:
        tries += 1
        decision = decide(Attempt(Effect.READ, Failure.THROTTLED, tries, elapsed, retry_after=0.0))
        if isinstance(decision, Stop):
            break
        elapsed += decision.seconds
    assert tries <= 35


def test_a_wait_beyond_the_ceiling_is_not_begun() -> None:
    """The whole request takes a minute at most; the stop says how long was asked for."""
    attempt = Attempt(Effect.READ, Failure.THROTTLED, tries=2, elapsed=35, retry_after=30)
    assert decide(attempt) == Stop(unknown=False, asked=30)


@pytest.mark.parametrize(
    ("failure", "effect", "unknown"),
    [
        pytest.param(Failure.TRANSIENT, Effect.REPEATABLE, True, id="a write that only got 5xx"),
        pytest.param(Failure.TRANSIENT, Effect.READ, False, id="a read changes nothing"),
        pytest.param(Failure.THROTTLED, Effect.REPEATABLE, False, id="throttled to the end: not done"),
    ],
)
def test_giving_up_says_whether_the_write_may_have_happened(
    *, failure: Failure, effect: Effect, unknown: bool
) -> None:
    """A write is of unknown outcome only when the last failure left it open."""
    decision = decide(Attempt(effect, failure, tries=9, elapsed=59.9))
    assert decision == Stop(unknown=unknown)


@pytest.mark.parametrize(
    ("failure", "most"),
    [
        pytest.param(Failure.NOT_SENT, 3, id="unreachable is said soon"),
        pytest.param(Failure.NO_ANSWER, 3, id="silence is not waited out"),
        pytest.param(Failure.BUSY, 5, id="a busy object five times"),
    ],
)
def test_tries_are_counted_where_time_does_not_help(failure: Failure, most: int) -> None:
    """Some failures end after so many tries, not after a minute."""
    assert isinstance(decide(Attempt(Effect.REPEATABLE, failure, most - 1, 1.0)), Wait)
    assert isinstance(decide(Attempt(Effect.REPEATABLE, failure, most, 1.0)), Stop)


@pytest.mark.parametrize(
    ("failure", "new"),
    [
        pytest.param(Failure.TRANSIENT, True, id="after a 503 the connection is suspect"),
        pytest.param(Failure.NO_ANSWER, True, id="so it is after silence"),
        pytest.param(Failure.THROTTLED, False, id="throttling says nothing about the connection"),
    ],
)
def test_which_failures_ask_for_a_new_connection(*, failure: Failure, new: bool) -> None:
    """The next try avoids a connection that may be the trouble."""
    decision = decide(Attempt(Effect.READ, failure, 1, 0.0))
    assert isinstance(decision, Wait)
    assert decision.new_connection is new


def test_the_pause_grows_and_is_bounded() -> None:
    """Without a Retry-After the pauses double, up to sixteen seconds."""
    waits = [decide(Attempt(Effect.READ, Failure.TRANSIENT, n, 0.0)) for n in range(1, 9)]
    pauses = [w.seconds for w in waits if isinstance(w, Wait)]
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 16.0, 16.0]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("12", 12.0, id="whole seconds"),
        pytest.param("2.128", 2.128, id="a fraction, as in Microsoft's own sample"),
        pytest.param(" 5 ", 5.0, id="spaces around it"),
        pytest.param("0", 0.0, id="at once"),
        pytest.param("Sun, 01 Mar 2026 12:00:30 GMT", 30.0, id="an HTTP date"),
        pytest.param("Sun, 01 Mar 2026 11:59:00 GMT", 0.0, id="a date gone by"),
        pytest.param("Sun, 01 Mar 2026 12:00:30 -0000", 30.0, id="a date without a zone is UTC"),
        pytest.param("-3", None, id="a negative number"),
        pytest.param("nan", None, id="not a number"),
        pytest.param("inf", None, id="for ever"),
        pytest.param("soon", None, id="a word"),
        pytest.param("", None, id="nothing"),
        pytest.param(None, None, id="no header"),
    ],
)
def test_every_form_of_retry_after(text: str | None, seconds: float | None) -> None:
    """Seconds whole or fractional and HTTP dates are understood; nonsense counts as absent."""
    assert parse_retry_after(text, now=NOW) == seconds


def test_a_date_is_measured_by_the_answers_own_clock() -> None:
    """A wrong clock of ours does not shorten the wait."""
    wrong = datetime(2026, 3, 1, 13, 0, 0, tzinfo=UTC)
    date = "Sun, 01 Mar 2026 12:00:00 GMT"
    assert parse_retry_after("Sun, 01 Mar 2026 12:00:20 GMT", now=wrong, date=date) == 20.0
