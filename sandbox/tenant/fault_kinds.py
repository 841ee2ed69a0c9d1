"""The named faults: a label for people, what each strikes unless told otherwise, and what then happens.

Microsoft Graph, pages "Microsoft Graph throttling guidance" (a wait in seconds, also as a fraction; the date
form is HTTP's own, RFC 9110 section 10.2.3) and "Use continuous access evaluation" (the claims challenge).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ANY_CALL: Final = {"path_regex": r"^/(v1\.0|beta)/"}
# A batch holds reads as well, and getByIds only reads; so neither counts as a write.
WRITE: Final = {
    "method": ["POST", "PATCH", "PUT", "DELETE"],
    "path_regex": r"^/(v1\.0|beta)/(?!\$batch|directoryObjects/)",
}
BATCH_STEP: Final = {"path_regex": r"^/(v1\.0|beta)/", "part": "step"}
SIGN_IN: Final = {"method": "POST", "path_regex": r"/oauth2/v2\.0/token$"}
READING_ROLES: Final = ("User.Read.All", "GroupMember.Read.All", "Domain.Read.All", "Organization.Read.All")
_CLAIMS = base64.b64encode(b'{"access_token":{"nbf":{"essential":true,"value":"1767225600"}}}').decode()
CHALLENGE: Final = (
    'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
    f'error="insufficient_claims", claims="{_CLAIMS}"'
)

Then = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """One named fault; `then` makes the rule's consequence from the seconds asked for."""

    name: str
    label: str
    description: str
    match: Mapping[str, Any]
    then: Callable[[float | None], Then]
    times: int | None = 1
    seconds: float | None = None

    def describe(self) -> dict[str, Any]:
        """Show the kind to people, with what holds when they say nothing."""
        return {
            "kind": self.name,
            "label": self.label,
            "description": self.description,
            "times": self.times,
            "seconds": self.seconds,
        }


def _throttled(form: str) -> Callable[[float | None], Then]:
    return lambda seconds: {"status": 429, "retry_after": {"form": form, "seconds": seconds}}


def _always(then: Then) -> Callable[[float | None], Then]:
    return lambda _: then


_ALL = (
    Kind(
        "throttled-seconds",
        "Throttled, told to wait whole seconds",
        "The next call is answered 429 with Retry-After as a whole number.",
        ANY_CALL,
        _throttled("seconds"),
        seconds=3,
    ),
    Kind(
        "throttled-fraction",
        "Throttled, told to wait a fraction",
        "The next call is answered 429 with Retry-After as a decimal fraction of seconds.",
        ANY_CALL,
        _throttled("fraction"),
        seconds=2.128,
    ),
    Kind(
        "throttled-date",
        "Throttled, told to wait until a time",
        "The next call is answered 429 with Retry-After as an HTTP date.",
        ANY_CALL,
        _throttled("date"),
        seconds=3,
    ),
    Kind(
        "throttled-silent",
        "Throttled, not told for how long",
        "The next call is answered 429 without Retry-After.",
        ANY_CALL,
        _always({"status": 429}),
    ),
    Kind(
        "throttled-step",
        "One step of a batch throttled",
        "The batch is answered 200, and one of its steps 429 with a wait of its own.",
        BATCH_STEP,
        _throttled("seconds"),
        seconds=2,
    ),
    Kind(
        "unavailable-before",
        "Unavailable (503), nothing written",
        "The next write is answered 503 and is not carried out.",
        WRITE,
        _always({"status": 503}),
    ),
    Kind(
        "unavailable-after",
        "Unavailable (503), yet written",
        "The next write is carried out, and the caller is told 503.",
        WRITE,
        _always({"apply_then_status": 503}),
    ),
    Kind(
        "timed-out-before",
        "Timed out (504), nothing written",
        "The next write is answered 504 and is not carried out.",
        WRITE,
        _always({"status": 504, "code": "UnknownError", "message": "Gateway timeout."}),
    ),
    Kind(
        "timed-out-after",
        "Timed out (504), yet written",
        "The next write is carried out, and the caller is told 504.",
        WRITE,
        _always({"apply_then_status": 504, "code": "UnknownError", "message": "Gateway timeout."}),
    ),
    Kind(
        "dropped-before",
        "Connection dropped, nothing written",
        "The connection of the next write ends without an answer, and nothing is carried out.",
        WRITE,
        _always({"drop": "before"}),
    ),
    Kind(
        "dropped-after",
        "Connection dropped, yet written",
        "The next write is carried out, and its connection ends without an answer.",
        WRITE,
        _always({"drop": "after"}),
    ),
    Kind(
        "slow",
        "Slow answers",
        "Every call takes this long, until switched off.",
        ANY_CALL,
        lambda seconds: {"delay_s": seconds},
        times=None,
        seconds=2,
    ),
    Kind(
        "replica-lag",
        "Reads that lag behind",
        "After the next write the next three reads still see what was before it.",
        WRITE,
        _always({"stale_reads": 3}),
    ),
    Kind(
        "token-expired",
        "Access token run out",
        "The next call is answered 401: the token is no longer valid.",
        ANY_CALL,
        _always(
            {
                "status": 401,
                "code": "InvalidAuthenticationToken",
                "message": "Lifetime validation failed, the token is expired.",
            }
        ),
    ),
    Kind(
        "claims-challenge",
        "Access token called back",
        "The next call is answered 401 with a claims challenge (continuous access evaluation).",
        ANY_CALL,
        _always(
            {
                "status": 401,
                "code": "InvalidAuthenticationToken",
                "message": "Continuous access evaluation resulted in a challenge.",
                "headers": {"WWW-Authenticate": CHALLENGE},
            }
        ),
    ),
    Kind(
        "role-missing",
        "Permission to write taken away",
        "Tokens carry the reading permissions only, until switched off.",
        ANY_CALL,
        _always({"token_roles": list(READING_ROLES)}),
        times=None,
    ),
    Kind(
        "sign-in-unavailable",
        "Sign-in unavailable",
        "The next request for a token is answered 503.",
        SIGN_IN,
        _always(
            {
                "status": 503,
                "code": "temporarily_unavailable",
                "message": "AADSTS90033: A transient error has occurred. Please try again.",
            }
        ),
    ),
)
KINDS: Final[Mapping[str, Kind]] = {kind.name: kind for kind in _ALL}
