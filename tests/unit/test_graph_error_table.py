"""Every documented or observed refusal, as Graph words it: its row, its error, what to do, and the ids.

Texts from the pages "Microsoft Graph error responses" and "Resolve Microsoft Graph authorization errors", and
from answers quoted in public issue lists of the Graph SDKs and the PowerShell module.
"""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import errors, facts
from pipeline.adapters.graph.errors import read_answer, to_error
from pipeline.adapters.graph.retry import Failure
from pipeline.errors import PipelineError

BAD, QUERY, NOT_FOUND = "Request_BadRequest", "Request_UnsupportedQuery", "Request_ResourceNotFound"
SAME = "Another object with the same value for property {} already exists."
REFERENCES = "One or more {} object references {} for the following modified properties: 'members'."
OTHER = "7b1d7c52-8a3c-4f0e-9d52-000000000001"
CONFLICTING = {"code": "ConflictingObjects", "target": f"User_{OTHER}"}

Row = tuple[str, int, str, str, type[PipelineError], str, Failure]
FINAL, FRESH = Failure.FINAL, Failure.NOT_VISIBLE
ROWS: list[Row] = [
    ("duplicate_upn", 400, BAD, SAME.format("userPrincipalName"), errors.TenantConflict, "which", FINAL),
    ("duplicate_property", 400, BAD, SAME.format("mailNickname"), errors.TenantConflict, "which", FINAL),
    (
        "duplicate_immutable_id",
        *(400, BAD, SAME.format("onPremisesImmutableId")),
        *(errors.TenantConflict, "which", FINAL),
    ),
    (
        "unverified_domain",
        *(400, BAD, "The domain portion of the userPrincipalName property is invalid. You must use one of."),
        *(errors.TenantRefused, "fallback_domain", FINAL),
    ),
    (
        "upn_invalid_character",
        *(400, BAD, "Property userPrincipalName is invalid.", errors.TenantRefused, "Correct", FINAL),
    ),
    (
        "required_missing",
        *(400, BAD, "A value is required for property 'displayName' of resource 'User'."),
        *(errors.TenantRefused, "Correct", FINAL),
    ),
    (
        "invalid_value",
        *(400, BAD, "Invalid value specified for property 'usageLocation' of resource 'User'."),
        *(errors.TenantRefused, "Correct", FINAL),
    ),
    (
        "one_or_more_invalid",
        *(400, BAD, "One or more property values specified are invalid."),
        *(errors.TenantRefused, "Correct", FINAL),
    ),
    (
        "unknown_property",
        *(400, BAD, "Property 'shoeSize' does not exist on type 'microsoft.graph.user'."),
        *(errors.TenantRefused, "out of the mappings", FINAL),
    ),
    (
        "null_for_list",
        *(400, BAD, "A null value was found for the property named 'businessPhones', which has the type"),
        *(errors.TenantRefused, "Correct", FINAL),
    ),
    (
        "read_only_property",
        *(400, BAD, "Property 'proxyAddresses' is read-only and cannot be set."),
        *(errors.TenantRefused, "out of the mappings", FINAL),
    ),
    (
        "proxy_addresses_denied",
        *(403, "Authorization_RequestDenied"),
        "The requesting application is not authorized to set group proxy addresses.",
        *(errors.TenantForbidden, "Exchange", FINAL),
    ),
    (
        "synced_object_write",
        *(400, BAD),
        "Unable to update the specified properties for on-premises mastered Directory Sync objects.",
        *(errors.SynchronizedTarget, "synchronisation", FINAL),
    ),
    (
        "external_service_object",
        *(400, BAD),
        "The properties cannot be set for objects that have originated within an external service.",
        *(errors.SynchronizedTarget, "service", FINAL),
    ),
    (
        "mail_enabled_group_create",
        *(400, BAD, "The service does not currently support writes of mail-enabled groups. Please ensure"),
        *(errors.MailEnabledGroup, "Exchange", FINAL),
    ),
    (
        "mail_enabled_group_update",
        *(400, BAD, "Cannot Update a mail-enabled security groups and or distribution list."),
        *(errors.MailEnabledGroup, "Exchange", FINAL),
    ),
    (
        "member_exists",
        *(400, BAD, REFERENCES.format("added", "already exist"), errors.TenantConflict, "other", FINAL),
    ),
    (
        "member_absent_400",
        *(400, BAD, REFERENCES.format("removed", "do not exist"), errors.TenantNotFound, "Run again", FINAL),
    ),
    (
        "member_absent_404",
        *(404, NOT_FOUND),
        "Resource 'x' does not exist or one of its queried reference-property objects are not present.",
        *(errors.TenantNotFound, "Run again", FRESH),
    ),
    ("not_found", 404, NOT_FOUND, "Resource 'x' is not there.", errors.TenantNotFound, "Run again", FRESH),
    (
        "last_owner",
        *(400, BAD, "The group must have at least one owner, hence this owner cannot be removed."),
        *(errors.TenantRefused, "owner", FINAL),
    ),
    (
        "too_many_references",
        *(400, BAD, "The maximum number of references in one request is 20."),
        *(errors.TenantRefused, "smaller", FINAL),
    ),
    (
        "invalid_reference",
        *(400, BAD, "Not a valid reference update.", errors.TenantRefused, "minute", FRESH),
    ),
    (
        "directory_object_not_found",
        *(404, "Directory_ObjectNotFound", "Unable to read the company information from the directory."),
        *(errors.TenantNotFound, "Run again", FRESH),
    ),
    (
        "invalid_object_id",
        *(400, BAD, "Invalid object identifier 'x'.", errors.TenantNotFound, "Run again", FINAL),
    ),
    (
        "concurrency_violation",
        *(
            409,
            "Directory_ConcurrencyViolation",
            "Error due to concurrent requests being made to the tenant.",
        ),
        *(errors.TenantThrottled, "minutes", Failure.BUSY),
    ),
    (
        "multiple_same_key",
        *(400, "Request_MultipleObjectsWithSameKeyValue", "The value is already in use."),
        *(errors.TenantConflict, "other", FINAL),
    ),
    (
        "conflicting_object",
        *(400, BAD),
        "A conflicting object with one or more of the specified property values is present in the directory.",
        *(errors.TenantConflict, "other", FINAL),
    ),
    (
        "password_complexity",
        *(400, BAD, "The specified password does not comply with password complexity requirements."),
        *(errors.TenantRefused, "password", FINAL),
    ),
    (
        "filter_clause",
        *(
            400,
            QUERY,
            "Unsupported or invalid query filter clause specified for property 'a' of resource 'b'.",
        ),
        *(errors.TenantUnexpected, "support", FINAL),
    ),
    ("unsupported_query", 400, QUERY, "Unsupported Query.", errors.TenantUnexpected, "support", FINAL),
    (
        "not_indexed",
        *(400, QUERY, "The request uses a filter property that is not indexed"),
        *(errors.TenantUnexpected, "another attribute", FINAL),
    ),
    (
        "count_unsupported",
        *(400, BAD, "$count is not currently supported.", errors.TenantUnexpected, "support", FINAL),
    ),
    ("bad_page_size", 400, BAD, "Invalid page size", errors.TenantUnexpected, "support", FINAL),
    (
        "no_token",
        *(401, "InvalidAuthenticationToken", "Access token is empty.", errors.SignInRefused, "secret", FINAL),
    ),
    (
        "forbidden",
        *(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."),
        *(errors.TenantForbidden, "ermission", FINAL),
    ),
    (
        "quota",
        *(
            403,
            "Directory_QuotaExceeded",
            "The directory object quota limit for the tenant has been exceeded.",
        ),
        *(errors.TenantRefused, "quota", FINAL),
    ),
    (
        "throttled",
        *(429, "TooManyRequests", "Please retry again later.", errors.TenantThrottled, "minutes"),
        Failure.THROTTLED,
    ),
    (
        "service_unavailable",
        *(503, "serviceNotAvailable", "Down.", errors.TenantUnreachable, "Try again", Failure.TRANSIENT),
    ),
    (
        "gateway_timeout",
        *(504, "UnknownError", "", errors.TenantTimeout, "minute", Failure.TRANSIENT),
    ),
    (
        "internal",
        *(500, "Service_InternalServerError", "Oh.", errors.TenantUnexpected, "support", Failure.TRANSIENT),
    ),
    (
        "batch_too_large",
        *(400, "MaximumValueExceeded", "Number of batch request steps exceeds the maximum value of 20."),
        *(errors.TenantUnexpected, "support", FINAL),
    ),
    ("batch_dependency", 424, "failedDependency", "", errors.TenantUnexpected, "support", FINAL),
    (
        "malformed_json",
        *(
            400,
            "BadRequest",
            "Unable to read JSON request payload.",
            errors.TenantUnexpected,
            "support",
            FINAL,
        ),
    ),
    (
        "unknown_segment",
        *(400, "BadRequest", "Resource not found for the segment 'x'.", errors.TenantUnexpected, "support"),
        FINAL,
    ),
    (
        "restore_conflict",
        *(400, BAD, "The object conflicts with one that is there.", errors.TenantConflict, "other", FINAL),
    ),
    (
        "member_write_dynamic",
        *(400, BAD, "The members of a dynamic group cannot be written.", errors.TenantRefused, "rule", FINAL),
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_refusal_has_its_row_error_remedy_and_ids(row: Row) -> None:
    """Each is known by name, says what to do about just that, and keeps what Microsoft's support asks for."""
    name, status, code, message, becomes, remedy, failure = row
    inner = {"request-id": "of the body", "client-request-id": "c-1", "date": "2026-03-01T12:00:00"}
    body: dict[str, Any] = {"error": {"code": code, "message": message, "innerError": inner}}
    answer = read_answer(status, body, {"request-id": "r-1"})
    error = to_error(answer)

    assert answer.known is not None
    assert answer.known.id == name
    assert type(error) is becomes
    assert remedy in error.remedy
    assert error.ids["request-id"] == "r-1"
    assert error.ids["client-request-id"] == "c-1"
    assert answer.failure is failure


@pytest.mark.parametrize(
    "name", ["duplicate_upn", "duplicate_property", "duplicate_immutable_id", "multiple_same_key"]
)
def test_a_conflict_points_to_the_other_object(name: str) -> None:
    """Where Graph says whose value it is, the error has the id."""
    (row,) = [row for row in ROWS if row[0] == name]
    body = {"error": {"code": row[2], "message": row[3], "details": [CONFLICTING]}}
    error = to_error(read_answer(row[1], body, {}))
    assert error.ids["conflicting-object"] == OTHER
    assert OTHER in error.message


@pytest.mark.parametrize(
    ("number", "words"),
    [
        pytest.param("7000215", "secret is wrong", id="wrong secret"),
        pytest.param("7000222", "expired", id="expired secret"),
        pytest.param("90002", "no tenant", id="unknown tenant"),
        pytest.param("700016", "not known", id="unknown application"),
    ],
)
def test_a_refused_sign_in_has_its_row(number: str, words: str) -> None:
    """The sign-in service's refusals are known by their AADSTS number, each with what to set."""
    row = facts.sign_in_errors()[number]
    assert words in row.says
    assert row.remedy


def test_no_row_is_without_an_example() -> None:
    """A row added to the table is added here, or is one of those that only some services write."""
    told = {row[0] for row in ROWS}
    others = {"duplicate_by_detail", "upn_invalid_by_detail", "too_long", "conflict_other", "page_token"}
    others |= {"method_not_allowed", "request_timeout", "bad_gateway", "insufficient_storage", "bad_request"}
    assert {row.id for row in facts.graph_errors()} - told == others
