"""Messages: what is remembered of their place, and what follows from each refusal of Slack."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.progress import OPEN, Next, Place, about_to_end, what_next
from bot.slack import Rejection, rejection
from pipeline.ids import ActorId, RunId
from pipeline.model import Mode, Request, Stage, StageName, StageStatus, new_run

PLACES = [
    (Place("C1", "U1"), True, "just accepted"),
    (Place("C1", "U1", "https://hooks.slack.com/x", "1.2"), True, "under way"),
    (Place("C1", "U1", None, "1.2", final=True), False, "ended"),
    (Place("C1", "U1", show=False), False, "refused at once, told to one person alone"),
]


@pytest.mark.parametrize(("place", "still_open", "reason"), PLACES, ids=[row[2] for row in PLACES])
def test_a_place_comes_back_as_it_was_stored(*, place: Place, still_open: bool, reason: str) -> None:
    """A start knows what the former process knew, and whether anything is left to show."""
    document = json.loads(json.dumps(place.document()))

    assert Place.from_document(document) == place, reason
    assert document[OPEN] is still_open


REFUSALS = [
    (Rejection("ratelimited", 429, 3.0), Next.AGAIN, "asked to wait"),
    (Rejection("", 502), Next.AGAIN, "a gateway's page"),
    (Rejection("internal_error", 200), Next.AGAIN, "Slack says that it is its own fault"),
    (Rejection("unheard_of", 503), Next.AGAIN, "a server error of any name"),
    (Rejection("not_in_channel", 200), Next.ELSEWHERE, "no member"),
    (Rejection("is_archived", 200), Next.ELSEWHERE, "the channel was archived"),
    (Rejection("message_not_found", 200), Next.ANEW, "deleted"),
    (Rejection("edit_window_closed", 200), Next.ANEW, "too old to be changed"),
    (Rejection("invalid_blocks", 200), Next.SKIP, "this very state is refused"),
    (Rejection("invalid_auth", 200), Next.ELSEWHERE, "the token is refused"),
    (Rejection("restricted_action_thread_only_channel", 200), Next.ELSEWHERE, "few may post there"),
]


@pytest.mark.parametrize(("why", "then", "reason"), REFUSALS, ids=[row[2] for row in REFUSALS])
def test_what_follows_from_a_refusal(why: Rejection, then: Next, reason: str) -> None:
    """What passes is tried again; what does not is worked around; no refusal is a reason to stop."""
    assert what_next(why) is then, reason


ANSWERS = [
    ({"ok": False, "error": "is_archived"}, 200, {}, Rejection("is_archived", 200), "Slack's own"),
    ({"error": "ratelimited"}, 429, {"Retry-After": "7"}, Rejection("ratelimited", 429, 7.0), "with a wait"),
    ({"error": "ratelimited"}, 429, {"Retry-After": "soon"}, Rejection("ratelimited", 429), "a bad wait"),
    ("<html>", 502, {}, Rejection("", 502), "a page of text"),
]


@pytest.mark.parametrize(
    ("data", "status", "headers", "why", "reason"), ANSWERS, ids=[row[4] for row in ANSWERS]
)
def test_any_answer_is_read(
    data: object, status: int, headers: dict[str, str], why: Rejection, reason: str
) -> None:
    """The SDK's response raises where something before Slack answered; reading it here does not."""
    response = AsyncSlackResponse(
        client=AsyncWebClient(),
        http_verb="POST",
        api_url="https://slack.com/api/chat.update",
        req_args={},
        data=data,  # type: ignore[arg-type]  # what it holds, whatever its annotation says
        headers=headers,
        status_code=status,
    )

    refused = SlackApiError("refused", response)  # type: ignore[no-untyped-call]  # the SDK leaves it untyped

    assert rejection(refused) == why, reason


STATES = [
    ("passed running waiting waiting", False, "in the middle"),
    ("passed passed passed running", False, "acting"),
    ("passed passed passed passed", True, "all four are done"),
    ("passed passed passed warning", True, "done with a warning"),
    ("passed skipped waiting waiting", True, "out of scope"),
    ("failed waiting waiting waiting", True, "not found"),
]


@pytest.mark.parametrize(("statuses", "near", "reason"), STATES, ids=[row[2] for row in STATES])
def test_the_end_is_not_held_up_by_the_state_before_it(*, statuses: str, near: bool, reason: str) -> None:
    """An update takes Slack a moment: none is begun for a state that the final one follows at once."""
    run = new_run(Request(RunId("R"), Mode.PROVISION, "CN=Ada", ActorId("T/U")), datetime.now(UTC))
    for name, status in zip(StageName, statuses.split(), strict=True):
        run = run.with_stage(Stage(name, StageStatus(status)))

    assert about_to_end(run) is near, reason
