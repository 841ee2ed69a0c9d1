"""What the refusals of Microsoft Graph become."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import errors
from pipeline.adapters.graph.errors import read_answer, to_error
from pipeline.adapters.graph.retry import Failure
from pipeline.errors import PipelineError

OTHER = "7b1d7c52-8a3c-4f0e-9d52-000000000001"


def body(code: str, message: str, *details: dict[str, str]) -> dict[str, Any]:
    """Return an error body as Graph writes it."""
    error: dict[str, Any] = {"code": code, "message": message, "innerError": {"request-id": "r-1"}}
    if details:
        error["details"] = list(details)
    return {"error": error}


UPN_TAKEN = "Another object with the same value for property userPrincipalName already exists."
ANCHOR_TAKEN = "Another object with the same value for property onPremisesImmutableId already exists."
NICKNAME_TAKEN = "Another object with the same value for property mailNickname already exists."
SYNCED = (
    "Unable to update the specified properties for on-premises mastered Directory Sync objects "
    "or objects currently undergoing migration."
)
EXTERNAL = (
    "Unable to update the specified properties for objects that have originated within an external service."
)
MAIL_GROUP = (
    "The service does not currently support writes of mail-enabled groups. Please ensure that the "
    "mail-enablement property is unset and the security-enablement property is set."
)
BAD_DOMAIN = (
    "The domain portion of the userPrincipalName property is invalid. "
    "You must use one of the verified domain names in your organization."
)
BAD_UPN = "Property userPrincipalName is invalid."
BAD = "Request_BadRequest"


@pytest.mark.parametrize(
    ("status", "answer", "expected", "words"),
    [
        pytest.param(400, body(BAD, UPN_TAKEN), errors.TenantConflict, "userPrincipalName", id="upn taken"),
        pytest.param(400, body(BAD, NICKNAME_TAKEN), errors.TenantConflict, "mailNickname", id="any taken"),
        pytest.param(
            400,
            body(BAD, "New words.", {"code": "ObjectConflict", "target": "proxyAddresses"}),
            errors.TenantConflict,
            "proxyAddresses",
            id="taken, told by the detail alone",
        ),
        pytest.param(
            400,
            body("Request_MultipleObjectsWithSameKeyValue", "already in use"),
            errors.TenantConflict,
            "unique",
            id="same key",
        ),
        pytest.param(400, body(BAD, BAD_DOMAIN), errors.TenantRefused, "verified domain", id="domain"),
        pytest.param(400, body(BAD, BAD_UPN), errors.TenantRefused, "character", id="upn character"),
        pytest.param(
            400,
            body(BAD, "x", {"code": "InvalidLength", "target": "employeeId"}),
            errors.TenantRefused,
            "employeeId",
            id="too long",
        ),
        pytest.param(
            400,
            body(BAD, "Property 'mail' is read-only and cannot be set."),
            errors.TenantRefused,
            "mail",
            id="read-only",
        ),
        pytest.param(400, body(BAD, SYNCED), errors.SynchronizedTarget, "synchronisation", id="synced"),
        pytest.param(400, body(BAD, EXTERNAL), errors.SynchronizedTarget, "another service", id="was synced"),
        pytest.param(400, body(BAD, MAIL_GROUP), errors.MailEnabledGroup, "mail-enabled", id="mail group"),
        pytest.param(
            400,
            body(BAD, "Cannot Update a mail-enabled security groups and or distribution list."),
            errors.MailEnabledGroup,
            "mail-enabled",
            id="mail group changed",
        ),
        pytest.param(
            404,
            body("Request_ResourceNotFound", "Resource 'x' does not exist or one of its queried "),
            errors.TenantNotFound,
            "not in Entra ID",
            id="not found",
        ),
        pytest.param(
            409,
            body("Directory_ConcurrencyViolation", "Error due to concurrent requests"),
            errors.TenantThrottled,
            "busy",
            id="two writes at once",
        ),
        pytest.param(429, body("TooManyRequests", "x"), errors.TenantThrottled, "slow", id="throttled"),
        pytest.param(503, None, errors.TenantUnreachable, "available", id="503 without a body"),
        pytest.param(504, "", errors.TenantTimeout, "in time", id="504 with an odd body"),
        pytest.param(
            403,
            body("Directory_QuotaExceeded", "The directory object quota limit"),
            errors.TenantRefused,
            "more objects",
            id="quota",
        ),
        pytest.param(
            400,
            body("BrandNew_Code", "Something nobody has seen"),
            errors.TenantUnexpected,
            "BrandNew_Code: Something nobody has seen",
            id="an unknown code is kept whole",
        ),
        pytest.param(418, [1, 2], errors.TenantUnexpected, "418", id="no error body at all"),
    ],
)
def test_each_refusal_becomes_its_error(
    status: int, answer: object, expected: type[PipelineError], words: str
) -> None:
    """A refusal is recognised by status, code, detail and, last, by its words."""
    error = to_error(read_answer(status, answer, {}))
    assert type(error) is expected
    assert words in error.message


def test_a_conflict_names_the_property_and_the_other_object() -> None:
    """The detail `ConflictingObjects` carries the id of the object that holds the value."""
    answer = body(
        BAD,
        ANCHOR_TAKEN,
        {"code": "ObjectConflict", "target": "onPremisesImmutableId"},
        {"code": "ConflictingObjects", "target": f"User_{OTHER}"},
    )
    error = to_error(read_answer(400, answer, {"request-id": "from the header"}))
    assert error.ids["conflicting-object"] == OTHER
    assert error.ids["property"] == "onPremisesImmutableId"
    assert error.ids["request-id"] == "from the header"
    assert OTHER in error.message


def test_details_may_come_as_one_object() -> None:
    """Some services write `details` without the list."""
    answer = body(BAD, "New words.")
    answer["error"]["details"] = {"code": "ObjectConflict", "target": "userPrincipalName"}
    assert isinstance(to_error(read_answer(400, answer, {})), errors.TenantConflict)


@pytest.mark.parametrize(
    ("needs", "privileged", "words"),
    [
        pytest.param("User.ReadWrite.All", False, "lacks the permission User.ReadWrite.All", id="missing"),
        pytest.param("User.ReadWrite.All", True, "protected for administrators", id="it has the permission"),
        pytest.param("", False, "", id="nothing known"),
    ],
)
def test_a_forbidden_request_tells_its_two_causes_apart(*, needs: str, privileged: bool, words: str) -> None:
    """With the permission in the token, the target must be a privileged one."""
    answer = read_answer(403, body("Authorization_RequestDenied", "Insufficient privileges"), {})
    error = to_error(answer, needs=needs, privileged=privileged)
    assert isinstance(error, errors.TenantForbidden)
    assert words in error.message


@pytest.mark.parametrize(
    ("status", "answer", "failure"),
    [
        pytest.param(429, None, Failure.THROTTLED, id="429"),
        pytest.param(503, None, Failure.TRANSIENT, id="503"),
        pytest.param(500, None, Failure.TRANSIENT, id="500"),
        pytest.param(520, None, Failure.TRANSIENT, id="a 5xx nobody named"),
        pytest.param(408, None, Failure.TRANSIENT, id="408"),
        pytest.param(501, None, Failure.FINAL, id="501 will not pass"),
        pytest.param(507, None, Failure.FINAL, id="507 will not pass"),
        pytest.param(409, body("Directory_ConcurrencyViolation", ""), Failure.BUSY, id="409 busy"),
        pytest.param(409, body("Other", ""), Failure.FINAL, id="409 otherwise"),
        pytest.param(404, None, Failure.NOT_VISIBLE, id="404"),
        pytest.param(400, body(BAD, "Not a valid reference update."), Failure.NOT_VISIBLE, id="reference"),
        pytest.param(400, body(BAD, UPN_TAKEN), Failure.FINAL, id="a conflict stays"),
        pytest.param(403, None, Failure.FINAL, id="forbidden stays"),
    ],
)
def test_which_answers_are_worth_another_try(status: int, answer: object, failure: Failure) -> None:
    """The kind of failure follows from the table, and from the status where the table is silent."""
    assert read_answer(status, answer, {}).failure is failure


def test_already_so_is_as_good_as_done() -> None:
    """Adding a member that is one, or removing one that is none, changes nothing."""
    there = (
        "One or more added object references already exist for the following modified properties: 'members'."
    )
    gone = (
        "One or more removed object references do not exist for the following modified properties: 'members'."
    )
    assert read_answer(400, body(BAD, there), {}).done
    assert read_answer(400, body(BAD, gone), {}).done
    assert not read_answer(400, body(BAD, UPN_TAKEN), {}).done


def test_a_message_is_shown_on_one_line_and_not_too_long() -> None:
    """A server's text cannot fill the message or break out of its line."""
    answer = read_answer(418, body("X", "a\n\n" * 500), {})
    message = to_error(answer).message
    assert "\n" not in message
    assert len(message) < 400


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
ODD_ERRORS = st.dictionaries(
    st.sampled_from(["code", "message", "details", "innerError", "innererror", "target", "value"]), JSON
)


@settings(max_examples=50, deadline=None)
@given(
    status=st.integers(300, 599),
    answer=JSON | st.fixed_dictionaries({"error": JSON | ODD_ERRORS}),
)
def test_no_answer_however_odd_crashes(status: int, answer: object) -> None:
    """Nulls, other types and unknown fields give an error of ours, never an exception of another kind."""
    read = read_answer(status, answer, {})
    assert isinstance(read.failure, Failure)
    assert isinstance(to_error(read), PipelineError)
