"""A run as JSON: stored and read back whole, and shown in the promised shape."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.documents import (
    DocumentError,
    from_document,
    report,
    report_schema,
    request_from_document,
    request_to_document,
    to_document,
    to_json,
)
from pipeline.ids import ActorId, Dn, EntraId, ObjectGuid, RunId, Sid
from pipeline.model import (
    SCHEMA_VERSION,
    Change,
    ChangeKind,
    ErrorReport,
    ImportedAttribute,
    ImportEvidence,
    MatchEvidence,
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
    TargetKind,
    new_run,
)

# `text()` leaves out lone surrogates by default; a command line hands them in for bytes that are not UTF-8.
TEXTS = st.text(st.characters(codec=None, exclude_categories=()), max_size=12)
TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- the strategy wants bounds without a zone
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = SCALARS | st.lists(TEXTS, max_size=3).map(tuple)

for kind, strategy in (
    (str, TEXTS),
    (datetime, TIMES),
    *((new, TEXTS.map(new)) for new in (Dn, ObjectGuid, Sid, EntraId, RunId, ActorId)),
):
    st.register_type_strategy(kind, strategy)


def instances(of: Any) -> st.SearchStrategy[Any]:
    """Build any instance of a dataclass of the model, every field drawn by its annotation."""
    hints = typing.get_type_hints(of)
    drawn = {field.name: drawn_by(hints[field.name]) for field in fields(of)}
    if "schema_version" in drawn:
        drawn["schema_version"] = st.just(SCHEMA_VERSION)
    return st.builds(of, **drawn)


def drawn_by(hint: Any) -> st.SearchStrategy[Any]:
    """Return the strategy of an annotation; sequences and tables are kept short."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if is_dataclass(hint):
        return st.deferred(lambda: instances(hint))
    if origin is tuple:
        many = arguments[-1] is Ellipsis
        return (
            st.lists(drawn_by(arguments[0]), max_size=2).map(tuple)
            if many
            else st.tuples(*(drawn_by(argument) for argument in arguments))
        )
    if origin is Mapping:
        return st.dictionaries(st.text(max_size=8), drawn_by(arguments[1]), max_size=2)  # keys are our words
    if origin in {typing.Union, types.UnionType}:
        return st.one_of(*(drawn_by(argument) for argument in arguments))
    if hint is float:
        return st.floats(allow_nan=False, allow_infinity=False)
    return st.from_type(hint)


RUNS = instances(Run)
SCHEMA = jsonschema.Draft202012Validator(typing.cast("dict[str, Any]", report_schema()))


def typed(value: Any) -> Any:
    """Return a value with its types spelt out: 1, 1.0 and true are equal in Python, but not in JSON."""
    return repr(value)


@settings(max_examples=25, deadline=None)
@given(RUNS)
def test_a_run_survives_storage_unchanged(run: Run) -> None:
    """Whatever a run holds, it is read back from its document as it was."""
    assert from_document(json.loads(json.dumps(to_document(run)))) == run


@settings(max_examples=25, deadline=None)
@given(RUNS)
def test_the_text_of_a_document_is_that_document(run: Run) -> None:
    """What is stored without the way through dicts holds the same, in ASCII, lone surrogates and all."""
    text = to_json(run)
    assert json.loads(text) == json.loads(json.dumps(to_document(run)))
    assert text.isascii()


@given(VALUES)
def test_a_value_keeps_its_type(value: Any) -> None:
    """A number, a truth value and a text stay what they are; nothing is coerced on the way."""
    change = Change("x", value, value, ChangeKind.CHANGED)
    plan = Plan(PlanAction.UPDATE, TargetKind.USER, None, (change,))
    back = from_document(json.loads(json.dumps(to_document(replace(a_run(), plan=plan))))).plan
    assert back is not None
    assert typed(back.changes[0].after) == typed(value)


@given(instances(Request))
def test_a_request_survives_storage_unchanged(request: Request) -> None:
    """An accepted command is read back as it was accepted."""
    assert request_from_document(json.loads(json.dumps(request_to_document(request)))) == request


def test_fields_of_a_later_version_are_passed_over() -> None:
    """A field that a later version added, at any depth, does not stop this one from reading the run."""
    document: dict[str, Any] = to_document(a_run()) | {"approved_by": "T/U"}
    document["stages"][0]["attempt"] = 2
    assert from_document(document) == a_run()


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        pytest.param(("outcome",), "teleported", "outcome is 'teleported'", id="outcome"),
        pytest.param(("mode",), "dream", "mode is 'dream'", id="mode"),
        pytest.param(("stages", 1, "status"), "bored", "stages.1.status is 'bored'", id="inside a stage"),
    ],
)
def test_an_unknown_word_is_named(path: tuple[str | int, ...], value: str, told: str) -> None:
    """A state that a later version introduced is refused, naming the place and the word."""
    document: Any = to_document(a_run())
    at(document, path[:-1])[path[-1]] = value
    with pytest.raises(DocumentError, match="does not know") as refused:
        from_document(document)
    assert told in str(refused.value)


def test_a_fault_in_evidence_names_the_evidence_that_was_meant() -> None:
    """Of the four kinds of evidence the message is about the stage's own, not about the first in the list."""
    run = a_run().with_stage(Stage(StageName.MATCH, StageStatus.PASSED, evidence=MatchEvidence("", (), None)))
    document: Any = to_document(run)
    del document["stages"][2]["evidence"]["keys"]
    with pytest.raises(DocumentError, match=r"stages\.2\.evidence\.MatchEvidence\.keys: field required"):
        from_document(document)


def test_a_fault_does_not_quote_what_was_stored() -> None:
    """A message about a broken document carries no stored value, which may be personal."""
    document: Any = to_document(a_run())
    document["started_at"] = "secret-birthday"
    with pytest.raises(DocumentError) as refused:
        from_document(document)
    assert "secret-birthday" not in f"{refused.value!r} {refused.value.__cause__!r}"


def test_a_later_schema_version_is_refused() -> None:
    """A document of a later schema version is not guessed at."""
    with pytest.raises(DocumentError, match="schema version 2"):
        from_document(to_document(a_run()) | {"schema_version": SCHEMA_VERSION + 1})


@settings(max_examples=25, deadline=None)
@given(RUNS)
def test_every_report_obeys_its_schema(run: Run) -> None:
    """What is printed is what the published schema promises, and nothing more."""
    ordered = tuple(replace(s, name=n, duration_ms=7) for s, n in zip(run.stages, StageName, strict=True))
    run = replace(run, stages=typing.cast("Any", ordered), configuration_digest="sha256:00")
    document = json.loads(json.dumps(report(run)))
    SCHEMA.validate(document)


def test_the_schema_is_itself_valid() -> None:
    """The published schema is valid JSON Schema of the draft that it names."""
    schema = report_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(typing.cast("dict[str, Any]", schema))


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda d: d.update(extra=1), id="a key too many"),
        pytest.param(lambda d: d.pop("warnings"), id="a key missing"),
        pytest.param(lambda d: d.update(outcome="good"), id="an unknown outcome"),
        pytest.param(lambda d: d["stages"].pop(), id="three stages"),
        pytest.param(lambda d: d["stages"].reverse(), id="stages out of order"),
        pytest.param(lambda d: d["plan"].pop("digest"), id="a plan without digest"),
        pytest.param(lambda d: d["plan"]["changes"][0].pop("before"), id="a change without before"),
        pytest.param(lambda d: d["stages"][0]["evidence"].pop("controller"), id="evidence incomplete"),
    ],
)
def test_the_schema_refuses_what_is_not_a_run(spoil: Any) -> None:
    """The schema is tight enough to notice each of these."""
    document = json.loads(json.dumps(report(full_run())))
    SCHEMA.validate(document)
    spoil(document)
    with pytest.raises(jsonschema.ValidationError):
        SCHEMA.validate(document)


def test_every_part_of_the_schema_is_described() -> None:
    """A person can read the schema: each property of a run says what it is."""
    properties = typing.cast("dict[str, dict[str, Any]]", report_schema()["properties"])
    assert all(p.get("title") and p.get("description") for p in properties.values())


def test_the_report_has_the_promised_keys_in_the_promised_order() -> None:
    """The public shape of a run, literally."""
    assert json.loads(json.dumps(report(full_run()))) == {
        "schema_version": 1,
        "run_id": "01JD0000000000000000000000",
        "mode": "provision",
        "executor": "graph",
        "outcome": "updated",
        "actor": "T0/U0",
        "configuration": "contoso",
        "configuration_digest": "sha256:ab",
        "object": {
            "dn": "CN=Ada,DC=contoso,DC=test",
            "guid": "8b1a",
            "sid": "S-1-5-21-1",
            "kind": "user",
            "name": "Ada",
        },
        "target": {"id": "e1", "upn": "ada@contoso.test"},
        "stages": [
            {
                "name": "import",
                "status": "passed",
                "summary": "46 attributes",
                "evidence": {
                    "controller": "dc1",
                    "read_at": "2026-11-23T14:02:00Z",
                    "object_class": ["top", "user"],
                    "when_changed": None,
                    "usn_changed": "42",
                    "attributes": [
                        {
                            "name": "title",
                            "syntax": "text",
                            "values": ["Reader"],
                            "decoded": [],
                            "total": 1,
                            "private": False,
                        }
                    ],
                    "hidden": 0,
                    "notes": [],
                    "stage": "import",
                },
                "duration_ms": 12,
            },
            *(
                {"name": n, "status": "waiting", "summary": "", "evidence": None, "duration_ms": None}
                for n in ("scope", "match", "action")
            ),
        ],
        "plan": {
            "action": "update",
            "digest": "sha256:cd",
            "changes": [
                {
                    "attribute": "businessPhones",
                    "before": None,
                    "after": ["+1"],
                    "kind": "added",
                    "reason": "",
                }
            ],
            "members": [],
        },
        "warnings": ["slow"],
        "error": {"code": "x", "message": "m", "remedy": "r", "retry_helps": True},
        "started_at": "2026-11-23T14:02:00Z",
        "ended_at": "2026-11-23T14:02:01Z",
    }
    assert list(report(full_run())) == list(typing.cast("dict[str, Any]", report_schema()["properties"]))
    assert [list(typing.cast("dict[str, Any]", report(full_run())[k])) for k in ("object", "plan")] == [
        ["dn", "guid", "sid", "kind", "name"],
        ["action", "digest", "changes", "members"],
    ]


def at(document: Any, path: tuple[str | int, ...]) -> Any:
    """Return the part of a document at a path."""
    for step in path:
        document = document[step]
    return document


NOON = datetime(2026, 11, 23, 14, 2, tzinfo=UTC)


def a_run() -> Run:
    """Return a run before anything has happened."""
    request = Request(
        RunId("01JD0000000000000000000000"), Mode.PROVISION, "CN=Ada", ActorId("T0/U0"), "contoso"
    )
    return new_run(request, NOON)


def full_run() -> Run:
    """Return a run with something in every part."""
    evidence = ImportEvidence(
        controller="dc1",
        read_at=NOON,
        object_class=("top", "user"),
        when_changed=None,
        usn_changed="42",
        attributes=(ImportedAttribute("title", "text", ("Reader",)),),
    )
    run = replace(
        a_run(),
        outcome=Outcome.UPDATED,
        configuration_digest="sha256:ab",
        object=SourceIdentity(
            Dn("CN=Ada,DC=contoso,DC=test"), ObjectGuid("8b1a"), Sid("S-1-5-21-1"), ObjectKind.USER, "Ada"
        ),
        target=TargetIdentity(EntraId("e1"), "ada@contoso.test"),
        plan=Plan(
            PlanAction.UPDATE,
            TargetKind.USER,
            None,
            (
                Change(
                    "businessPhones", None, ("+1",), ChangeKind.ADDED, mapping="[x]", inputs=(("x", "+1"),)
                ),
            ),
            digest="sha256:cd",
        ),
        warnings=("slow",),
        error=ErrorReport("x", "m", "r", retry_helps=True, ids={"request-id": "1"}),
        ended_at=NOON + timedelta(seconds=1),
    )
    return run.with_stage(Stage(StageName.IMPORT, StageStatus.PASSED, "46 attributes", evidence, 12))
