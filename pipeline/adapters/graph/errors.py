"""Turn what Microsoft Graph answers into the errors of the pipeline, by the table of `pipeline.facts`.

Nothing an answer holds may crash this: fields may be missing, null, of another type, or new.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from pipeline import errors, facts
from pipeline.adapters.graph.retry import Failure
from pipeline.errors import PipelineError
from pipeline.facts import GraphError

_LONGEST_QUOTE: Final = 300

_CLASSES: Final[Mapping[str, type[PipelineError]]] = {
    cls.__name__: cls
    for cls in (
        errors.MailEnabledGroup,
        errors.SignInRefused,
        errors.SynchronizedTarget,
        errors.TenantConflict,
        errors.TenantForbidden,
        errors.TenantNotFound,
        errors.TenantRefused,
        errors.TenantThrottled,
        errors.TenantTimeout,
        errors.TenantUnexpected,
        errors.TenantUnreachable,
    )
}

_FAILURES: Final = {
    "throttle": Failure.THROTTLED,
    "transient": Failure.TRANSIENT,
    "busy": Failure.BUSY,
    "fresh": Failure.NOT_VISIBLE,
}


@dataclass(frozen=True, slots=True)
class Detail:
    """One entry of an error's `details`."""

    code: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """An error answer, read with care. `ids` are the correlation ids that Microsoft's support asks for."""

    status: int
    code: str = ""
    message: str = ""
    details: tuple[Detail, ...] = ()
    ids: Mapping[str, str] = field(default_factory=dict)

    @property
    def known(self) -> GraphError | None:
        """The row of the table that this answer fits."""
        return next((row for row in facts.graph_errors() if _fits(row, self)), None)

    @property
    def failure(self) -> Failure:
        """Whether it helps to try again."""
        row = self.known
        if row is not None and row.retry in _FAILURES:
            return _FAILURES[row.retry]
        return Failure.TRANSIENT if self.status >= 500 and self.status not in _LASTING else Failure.FINAL

    @property
    def done(self) -> bool:
        """Whether the refusal says that what was asked for is already so."""
        return self.known is not None and self.known.retry == "done"


_LASTING: Final = frozenset({501, 505, 507, 508, 510, 511})


def read_answer(status: int, body: object, ids: Mapping[str, str]) -> Answer:
    """Read the error out of an answer's decoded JSON, whatever that is."""
    envelope = body if isinstance(body, Mapping) else {}
    error = envelope.get("error") or envelope.get("odata.error")
    if not isinstance(error, Mapping):
        # The sign-in service writes {"error": "code", "error_description": "text"}.
        return Answer(status, _text(error), _text(envelope.get("error_description")), ids=ids)
    details = tuple(_details(error.get("details")))
    inner = error.get("innerError") or error.get("innererror")
    return Answer(
        status,
        _text(error.get("code")),
        _text(error.get("message")),
        details,
        {**_inner_ids(inner), **ids},
    )


def to_error(answer: Answer, *, needs: str = "", privileged: bool = False) -> PipelineError:
    """Return the error for an answer.

    `needs` names the permission that the request takes; `privileged` says that the token has it, so that a
    refusal must lie with the target.
    """
    row = answer.known
    if row is None:
        return errors.TenantUnexpected(_unknown(answer), ids=answer.ids)
    if row.id == "forbidden":
        return _forbidden(answer, needs, privileged=privileged)
    found = _found(row, answer)
    message = row.says.format(
        property=found.get("property") or "one of the attributes",
        other=f" (object {found['conflicting-object']})" if "conflicting-object" in found else "",
        code=answer.code or answer.status,
        message=_quote(answer.message) or answer.code or str(answer.status),
    )
    return _CLASSES[row.becomes](message, remedy=row.remedy or None, ids={**answer.ids, **found})


def _forbidden(answer: Answer, needs: str, *, privileged: bool) -> PipelineError:
    if privileged:
        message = (
            f"The app registration may do what {needs} allows, yet Entra ID refused: "
            "the target, or a value to be changed, is protected for administrators."
        )
        remedy = "Have a Privileged Authentication Administrator make this change."
        return errors.TenantForbidden(message, remedy=remedy, ids=answer.ids)
    if needs:
        message = f"The app registration lacks the permission {needs}, or the target is a privileged user."
        remedy = f"Grant {needs} to the app registration and give admin consent."
        return errors.TenantForbidden(message, remedy=remedy, ids=answer.ids)
    return errors.TenantForbidden(ids=answer.ids)


def _fits(row: GraphError, answer: Answer) -> bool:
    return (
        (row.status is None or row.status == answer.status)
        and (not row.codes or answer.code in row.codes)
        and (not row.detail or any(d.code == row.detail for d in answer.details))
        and (not row.message or re.search(row.message, answer.message) is not None)
    )


def _found(row: GraphError, answer: Answer) -> dict[str, str]:
    """Pick out the attribute and the other object that an answer names."""
    found: dict[str, str] = {}
    match = re.search(row.message, answer.message) if row.message else None
    if match is not None and match.groupdict().get("property"):
        found["property"] = match["property"]
    for detail in answer.details:
        kind, _, other = detail.target.partition("_")
        if detail.code == "ConflictingObjects" and other:
            found["conflicting-object"] = other
            found["conflicting-kind"] = kind
        elif detail.target and detail.target != "None":
            found.setdefault("property", detail.target)
    return found


def _unknown(answer: Answer) -> str:
    said = ": ".join(part for part in (answer.code, _quote(answer.message)) if part)
    return f"Microsoft Graph answered with status {answer.status}" + (f", {said}" if said else ".")


def _details(value: object) -> Iterator[Detail]:
    """Read `details`, which comes as a list and, from some services, as one object."""
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, Mapping):
            yield Detail(_text(entry.get("code")), _text(entry.get("target")))


def _inner_ids(inner: object) -> dict[str, str]:
    if not isinstance(inner, Mapping):
        return {}
    return {
        name: _text(inner[name]) for name in ("request-id", "client-request-id", "date") if inner.get(name)
    }


def _text(value: object) -> str:
    """Return a text as it is and anything else as nothing; old services wrap it as {lang, value}."""
    if isinstance(value, Mapping):
        value = value.get("value")
    return value if isinstance(value, str) else ""


def _quote(text: str) -> str:
    """Return a text on one line and not too long."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_QUOTE else line[: _LONGEST_QUOTE - 1] + "…"
