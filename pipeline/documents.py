"""A run as JSON: the complete document that is stored, and the report that people's scripts read.

The stored document holds everything and is read back into the same run. The report is the public surface
(`fourcheck … --json`): its keys and their order are a promise, so it is written out by hand here and never
derived from the names of fields.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from pipeline.model import (
    SCHEMA_VERSION,
    ChangeKind,
    ErrorReport,
    Evidence,
    Mode,
    ObjectKind,
    Outcome,
    Plan,
    PlanAction,
    Request,
    Run,
    SourceIdentity,
    Stage,
    StageName,
    StageStatus,
    TargetIdentity,
)

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


class DocumentError(ValueError):
    """A stored document that this version cannot read; says where and why, never a stored value."""


# -- for the store: complete, and back -------------------------------------------------------------------


def to_document(run: Run) -> dict[str, object]:
    """Return the run as a complete JSON document (dicts, lists, scalars)."""
    document: dict[str, object] = _runs().dump_python(run, mode="json")
    return document


def to_json(run: Run) -> str:
    """Return that document as compact JSON text, in ASCII. Much faster than by way of dicts and lists."""
    try:
        return _runs().dump_json(run, ensure_ascii=True).decode()
    except PydanticSerializationError:  # a lone surrogate, which UTF-8 cannot carry, and an escape can
        return json.dumps(to_document(run), separators=(",", ":"))


def from_document(document: Mapping[str, object]) -> Run:
    """Return the run that `to_document` was given.

    Fields that a later version added are passed over. Raises DocumentError where the document means something
    that this version does not know: a later schema version, an unknown state, a missing field.
    """
    version = document.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise DocumentError(
            f"it has schema version {version} and this version of Fourcheck knows up to {SCHEMA_VERSION}"
        )
    try:
        return _runs().validate_python(dict(document))
    except ValidationError as error:
        raise DocumentError(_first_fault(error)) from None


def request_to_document(request: Request) -> dict[str, object]:
    """Return a request as a JSON document."""
    document: dict[str, object] = _requests().dump_python(request, mode="json")
    return document


def request_from_document(document: Mapping[str, object]) -> Request:
    """Return the request that `request_to_document` was given. Raises DocumentError."""
    try:
        return _requests().validate_python(dict(document))
    except ValidationError as error:
        raise DocumentError(_first_fault(error)) from None


@cache
def _runs() -> TypeAdapter[Run]:
    return TypeAdapter(Run)


@cache
def _requests() -> TypeAdapter[Request]:
    return TypeAdapter(Request)


@cache
def _evidence() -> TypeAdapter[Evidence]:
    return TypeAdapter(Evidence)


def _first_fault(error: ValidationError) -> str:
    """Say the most telling of the faults: of a union, the one about the member that was meant.

    Only an unknown word of a fixed vocabulary is quoted; any other value may be somebody's data.
    """
    fault = min(error.errors(include_url=False), key=_aside)
    place = ".".join(str(part) for part in fault["loc"])
    if fault["type"] in {"enum", "literal_error"}:
        return f"{place} is {fault['input']!r}, which this version of Fourcheck does not know"
    return f"{place}: {fault['msg'][:1].lower()}{fault['msg'][1:]}"


def _aside(fault: ErrorDetails) -> bool:
    """Whether a fault is about a kind of evidence that does not belong to the stage it was found in."""
    where = fault["loc"]
    if len(where) < 4 or where[0] != "stages" or where[2] != "evidence":  # stages.N.evidence.Kind.…
        return False
    kinds = ("ImportEvidence", "ScopeEvidence", "MatchEvidence", "ActionEvidence")
    return where[3] != kinds[int(where[1])] or where[-1] == "stage"


# -- for people's scripts: the public shape --------------------------------------------------------------


def report(run: Run) -> dict[str, object]:
    """Return the run in its public shape, the keys in their promised order.

    Values are passed on as they are: whoever built the run has already hidden what is private.
    """
    return {
        "schema_version": run.schema_version,
        "run_id": run.run_id,
        "mode": run.mode.value,
        "executor": run.executor,
        "outcome": run.outcome.value,
        "actor": run.actor,
        "configuration": run.configuration,
        "configuration_digest": run.configuration_digest,
        "object": _object(run.object),
        "target": _target(run.target),
        "stages": [_stage(stage) for stage in run.stages],
        "plan": _plan(run.plan),
        "warnings": list(run.warnings),
        "error": _error(run.error),
        "started_at": _time(run.started_at),
        "ended_at": _time(run.ended_at) if run.ended_at else None,
    }


def _object(source: SourceIdentity | None) -> dict[str, object] | None:
    if source is None:
        return None
    return {
        "dn": source.dn,
        "guid": source.guid,
        "sid": source.sid,
        "kind": source.kind.value,
        "name": source.name,
    }


def _target(target: TargetIdentity | None) -> dict[str, object] | None:
    return None if target is None else {"id": target.id, "upn": target.upn}


def _stage(stage: Stage) -> dict[str, object]:
    evidence = stage.evidence
    return {
        "name": stage.name.value,
        "status": stage.status.value,
        "summary": stage.summary,
        "evidence": None if evidence is None else _evidence().dump_python(evidence, mode="json"),
        "duration_ms": stage.duration_ms,
    }


def _plan(plan: Plan | None) -> dict[str, object] | None:
    if plan is None:
        return None
    return {
        "action": plan.action.value,
        "digest": plan.digest,
        "changes": [
            {
                "attribute": change.attribute,
                "before": _value(change.before),
                "after": _value(change.after),
                "kind": change.kind.value,
                "reason": change.reason,
            }
            for change in plan.changes
        ],
        "members": [
            {
                "name": member.name,
                "dn": member.dn,
                "id": member.id,
                "kind": member.kind.value,
                "reason": member.reason,
            }
            for member in plan.members
        ],
    }


def _value(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _time(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _error(error: ErrorReport | None) -> dict[str, object] | None:
    if error is None:
        return None
    return {
        "code": error.code,
        "message": error.message,
        "remedy": error.remedy,
        "retry_helps": error.retry_helps,
    }


# -- the schema of the public shape ----------------------------------------------------------------------


def report_schema() -> dict[str, object]:
    """Return the JSON Schema (draft 2020-12) of what `report` gives."""
    evidence = _evidence().json_schema(mode="serialization", ref_template="#/$defs/{model}")
    definitions: dict[str, Any] = evidence.pop("$defs")
    definitions |= {
        "Evidence": evidence
        | {"title": "Evidence", "description": "What the stage saw and decided; `stage` says which kind."},
        "Stage": _STAGE,
        "Change": _CHANGE,
        "Member": _MEMBER,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Run",
        "description": "One pass of one directory object through the four stages, as `fourcheck` prints it.",
        **_closed(_run_properties()),
        "$defs": dict(sorted(definitions.items())),
    }


def _run_properties() -> dict[str, Any]:
    return {
        "schema_version": _is({"const": SCHEMA_VERSION}, "Version of this shape."),
        "run_id": _is(_TEXT, "A ULID: 26 characters that sort by time."),
        "mode": _is(_words(Mode), "What the run was allowed to do; a preview never writes."),
        "executor": _is(_TEXT, "What carries out the plan, such as `graph`."),
        "outcome": _is(_words(Outcome), "How the run ended, or `running`."),
        "actor": _is(_TEXT, "Who asked: TEAM/USER for Slack, cli:NAME for the command line."),
        "configuration": _is(_maybe(_TEXT), "The name of the configuration that was used."),
        "configuration_digest": _is(
            _maybe({"type": "string", "pattern": "^sha256:"}), "Digest of that configuration's rules."
        ),
        "object": _is(_maybe(_OBJECT), "The directory object, null until it was read."),
        "target": _is(_maybe(_TARGET), "The object in Entra ID, null where there is none."),
        "stages": _is(_stages(), "The four stages, always all of them, in their order."),
        "plan": _is(_maybe(_PLAN), "The complete action, null where the run did not get that far."),
        "warnings": _is({"type": "array", "items": _TEXT}, "What went not quite as it should, in sentences."),
        "error": _is(_maybe(_ERROR), "Why the run ended other than well, null where it did not."),
        "started_at": _is(_TIME, "When the run began, in UTC."),
        "ended_at": _is(_maybe(_TIME), "When it ended, in UTC; null while it has not."),
    }


def _stages() -> dict[str, Any]:
    each = [
        {"allOf": [{"$ref": "#/$defs/Stage"}, {"properties": {"name": {"const": name.value}}}]}
        for name in StageName
    ]
    return {"type": "array", "prefixItems": each, "items": False, "minItems": len(each)}


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return _open(properties) | {"additionalProperties": False}


def _open(properties: dict[str, Any]) -> dict[str, Any]:
    titled = {name: {"title": name.replace("_", " ").capitalize()} | p for name, p in properties.items()}
    return {"type": "object", "properties": titled, "required": list(properties)}


def _is(shape: Mapping[str, Any], description: str) -> dict[str, Any]:
    return {"description": description, **shape}


def _maybe(shape: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [shape, {"type": "null"}]}


def _words(vocabulary: type[StrEnum]) -> dict[str, Any]:
    return {"type": "string", "enum": [word.value for word in vocabulary]}


_TEXT: Final[Mapping[str, Any]] = {"type": "string"}
_TIME: Final[Mapping[str, Any]] = {"type": "string", "format": "date-time"}
_VALUE: Final[Mapping[str, Any]] = {
    "anyOf": [
        {"type": ["string", "number", "boolean", "null"]},
        {"type": "array", "items": {"type": "string"}},
    ]
}
_OBJECT: Final = _open(
    {
        "dn": _is(_TEXT, "Distinguished name as the directory returned it, RFC 4514."),
        "guid": _is(_TEXT, "objectGUID, lower case, with hyphens."),
        "sid": _is(_maybe(_TEXT), "objectSid as S-1-…"),
        "kind": _is(_words(ObjectKind), "The class of the object."),
        "name": _is(_TEXT, "The name people know it by."),
    }
)
_TARGET: Final = _open(
    {
        "id": _is(_TEXT, "Object id in Entra ID."),
        "upn": _is(_maybe(_TEXT), "userPrincipalName; null for a group."),
    }
)
_STAGE: Final = _is(
    _open(
        {
            "name": _is(_words(StageName), "Which of the four."),
            "status": _is(_words(StageStatus), "How far it is, or how it ended."),
            "summary": _is(_TEXT, "The stage's result in a sentence."),
            "evidence": _is(_maybe({"$ref": "#/$defs/Evidence"}), "What it saw and decided."),
            "duration_ms": _is(_maybe({"type": "integer", "minimum": 0}), "How long it took."),
        }
    ),
    "One of the four checks.",
)
_CHANGE: Final = _is(
    _open(
        {
            "attribute": _is(_TEXT, "Target attribute, as Microsoft Graph names it."),
            "before": _is(_VALUE, "The value found."),
            "after": _is(_VALUE, "The value that the mapping gives."),
            "kind": _is(_words(ChangeKind), "What becomes of the attribute."),
            "reason": _is(_TEXT, "Why, where there is something to say."),
        }
    ),
    "One target attribute, before and after.",
)
_MEMBER: Final = _is(
    _open(
        {
            "name": _is(_TEXT, "Display name."),
            "dn": _is(_TEXT, "Distinguished name."),
            "id": _is({"type": ["string", "null"]}, "Id in Entra ID, where it has one."),
            "kind": _is(_words(ChangeKind), "What becomes of the membership."),
            "reason": _is(_TEXT, "Why, where there is something to say."),
        }
    ),
    "One member of a group.",
)
_PLAN: Final = _open(
    {
        "action": _is(_words(PlanAction), "What is done to the object in Entra ID."),
        "digest": _is(_TEXT, "Digest over everything that would be written."),
        "changes": _is({"type": "array", "items": {"$ref": "#/$defs/Change"}}, "Every mapped attribute."),
        "members": _is(
            {"type": "array", "items": {"$ref": "#/$defs/Member"}}, "A group's members; else empty."
        ),
    }
)
_ERROR: Final = _open(
    {
        "code": _is(_TEXT, "Stable name of the error."),
        "message": _is(_TEXT, "What happened, in a sentence."),
        "remedy": _is(_TEXT, "What to do about it."),
        "retry_helps": _is({"type": "boolean"}, "Whether running again may help."),
    }
)
