"""The four details views, read as people read them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.views import controls, notices
from bot.views.controls import Reference
from bot.views.details import details, expired, told
from bot.views.plain import view_as_text
from pipeline.model import (
    ActionEvidence,
    Change,
    ChangeKind,
    ClauseResult,
    FilterResult,
    ImportedAttribute,
    KeyResult,
    MatchEvidence,
    Outcome,
    PlanAction,
    Run,
    ScopeEvidence,
    StageName,
    StageStatus,
)
from tests.unit.views import samples
from tests.unit.views.payloads import assert_modal_fits, buttons, follow

DN = "CN=Ada Lovelace,OU=Engineering,OU=London,OU=Corp,DC=contoso,DC=test"
HEAD = ["Ada Lovelace", DN]


def lines(view: dict[str, Any]) -> list[str]:
    """Render a view as lines."""
    return [line.strip() for line in view_as_text(view).split("\n")]


def with_import(*attributes: ImportedAttribute) -> Run:
    """Return a run that imported these attributes."""
    evidence = replace(
        samples.imported(*attributes), hidden=2, notes=("member: the first 1,500 of 9,000 values",)
    )
    return samples.run(
        Outcome.CREATED, samples.stage(StageName.IMPORT, StageStatus.PASSED, "4 attributes", evidence)
    )


def test_import_shows_raw_beside_decoded_and_hides_what_is_private() -> None:
    """Attributes by name, several values one a line, decoded below raw, private ones without a value."""
    run = with_import(
        ImportedAttribute("userAccountControl", "integer", ("512",), ("normal account",)),
        ImportedAttribute("employeeID", "text", ("E-1234",), private=True),
        ImportedAttribute("proxyAddresses", "text", ("SMTP:ada@x", "smtp:a@x"), total=2),
        ImportedAttribute("cn", "text", ("Ada ",)),
        ImportedAttribute("thumbnailPhoto", "binary", ("8,192 octets, JPEG",)),
    )
    assert lines(details(run, StageName.IMPORT)) == [
        "Import details",
        *HEAD,
        "✅ Passed. 4 attributes.",
        "took 12 ms",
        (
            "from dc1.contoso.test · read 2026-11-23 14:02 UTC · 5 attributes · top › person › user · "
            "changed 2026-11-20T10:00:00Z · USN 81234 · 2 attributes never read"
        ),
        "member: the first 1,500 of 9,000 values.",
        "cn",
        '"Ada "',
        "employeeID",
        "present, hidden",
        "proxyAddresses",
        "SMTP:ada@x",
        "smtp:a@x",
        "thumbnailPhoto",
        "binary",
        "8,192 octets, JPEG",
        "userAccountControl",
        "integer",
        "512",
        "= normal account",
    ]


def test_scope_shows_every_clause_with_what_was_wanted_and_what_is_there() -> None:
    """The verdict, then unit, filter and clause, each with whether it is met."""
    view = details(samples.OUTCOMES[Outcome.SKIPPED], StageName.SCOPE)
    assert lines(view) == [
        "Scope details",
        *HEAD,
        "⏭️ Skipped. “Full-time staff” wants employeeType EQUALS Employee, AD has Contractor.",
        "took 12 ms",
        "Out of scope.",
        "Organizational units: below any of these",
        "✅ Met  OU=Corp,DC=contoso,DC=test",
        "The object lies below it.",
        "Filter",
        "❌ Not met  “Full-time staff”  1 of 2 conditions",
        "❌ Not met  employeeType EQUALS",
        "Wanted",
        "Employee",
        "In Active Directory",
        "Contractor",
        "✅ Met  mail IS NOT NULL",
        "Wanted",
        "–",
        "In Active Directory",
        "ada@contoso.test",
    ]


def test_match_shows_keys_in_order_and_who_answered() -> None:
    """The refusal with its remedy, then each key with its value, reason and candidates."""
    second = replace(samples.CANDIDATE, name="Alan M. Turing", synchronized=True, anchor="q1w2==")
    evidence = MatchEvidence(
        "2 objects share its mail",
        (
            KeyResult("onPremisesImmutableId", "b5YZ==", (), decided=False, why="nobody has this value"),
            KeyResult("mail", "ada@x", (samples.CANDIDATE, second), decided=True, why="2 have this value"),
        ),
        None,
    )
    refused = samples.OUTCOMES[Outcome.REFUSED]
    assert refused.error is not None
    run = refused.with_stage(
        samples.stage(StageName.MATCH, StageStatus.FAILED, refused.error.message, evidence)
    )
    assert lines(details(run, StageName.MATCH)) == [
        "Match details",
        *HEAD,
        "❌ Refused. 2 objects share its mail: Ada (ada@x), Ada (ada@y).",
        "What you can do: Make the matching value unique in Entra ID, or set the anchor on the right one.",
        "Running it again helps only after that.",
        "took 12 ms · Support id 01JDABCDEFGHJKMNPQRSTVWXK3 · request-id abc-123",
        "Decision. 2 objects share its mail.",
        "Keys, in the order they were tried",
        "1. onPremisesImmutableId  nobody",
        "nobody has this value.",
        "Value asked for",
        "b5YZ==",
        "2. mail  2 objects · this key decided",
        "2 have this value.",
        "Value asked for",
        "ada@x",
        "→ Alan Turing  (user, cloud-only)",
        "userPrincipalName alan@contoso.test",
        "id 11111111-2222-3333-4444-555555555555",
        "anchor none",
        "→ Alan M. Turing  (user, owned by the synchronisation)",
        "userPrincipalName alan@contoso.test",
        "id 11111111-2222-3333-4444-555555555555",
        "anchor q1w2==",
    ]


def test_action_shows_changed_first_with_before_after_and_why() -> None:
    """Changed, added, cleared, not written, same: each with before and after, and its mapping."""
    plan = replace(
        samples.UPDATE,
        changes=(
            samples.CHANGES[4],
            Change("mail", "a@x", "a@y", ChangeKind.NOT_WRITTEN, "read-only in Microsoft Graph"),
            Change("faxNumber", "+44 9", None, ChangeKind.CLEARED),
            samples.CHANGES[3],
            samples.CHANGES[0],
        ),
    )
    run = replace(samples.OUTCOMES[Outcome.UPDATED], plan=plan)
    assert lines(details(run, StageName.ACTION)) == [
        "Action details",
        *HEAD,
        "✅ Passed. Updated 4 attributes.",
        "took 12 ms",
        "Updated the user  1 changed · 1 added · 1 cleared · 1 not written · 1 same",
        "Entra ID: alan@contoso.test · id 11111111-2222-3333-4444-555555555555 · plan ab",
        "Changed (1)",
        "jobTitle  changed",
        "Before",
        "Fellow",
        "After",
        "Reader",
        'why: Trim([title]) · [title] = " Reader"',
        "Added (1)",
        "department  added",
        "Before",
        "(empty)",
        "After",
        "Computing",
        "Cleared (1)",
        "faxNumber  cleared",
        "Before",
        "+44 9",
        "After",
        "(empty)",
        "Not written (1)",
        "mail  not written",
        "read-only in Microsoft Graph.",
        "In Entra ID",
        "a@x",
        "Wanted",
        "a@y",
        "Same on both sides (1)",
        "displayName  same",
        "Value",
        "Ada Lovelace",
        "Writes",
        "✅ Done  create user",
        "answered 201.",
        "request-id abc-123",
    ]


def test_members_are_told_apart_with_reasons() -> None:
    """Members to add, not possible and already there, the reason beside the name."""
    seen = lines(details(samples.OUTCOMES[Outcome.PARTIAL], StageName.ACTION))
    start = seen.index("Members to add (1)")
    assert seen[start : start + 6] == [
        "Members to add (1)",
        "• Ada Lovelace",
        "Members that are not possible (1)",
        "• Grace Hopper — not in Entra ID",
        "Members already there (1)",
        "• Alan Turing",
    ]


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("stage", list(StageName))
def test_every_stage_of_every_outcome_opens(outcome: Outcome, stage: StageName) -> None:
    """A click never meets a view that cannot be drawn, not even for a stage that was not reached."""
    run = samples.OUTCOMES[outcome]
    view = details(run, stage)
    assert_modal_fits(view)
    assert Reference.decode(view["private_metadata"]) == Reference(run.run_id, stage)
    assert view["callback_id"] == "details"


def test_a_stage_that_was_not_reached_says_so() -> None:
    """An empty view explains itself."""
    seen = lines(details(samples.OUTCOMES[Outcome.SKIPPED], StageName.ACTION))
    assert "⚪ Not reached" in seen
    assert seen[-1] == "This stage has not been reached."


def test_pages_lead_on_and_back() -> None:
    """Next and Previous lead from page to page; the ends have only one of them."""
    run = with_import(*(ImportedAttribute(f"a{n:03}", "text", ("x",)) for n in range(100)))
    first = details(run, StageName.IMPORT)
    assert [b["text"]["text"] for b in buttons(first)] == ["Next"]
    second = follow(run, buttons(first)[0])
    assert [b["text"]["text"] for b in buttons(second)] == ["Previous", "Next"]
    third = follow(run, buttons(second)[1])
    assert [b["text"]["text"] for b in buttons(third)] == ["Previous"]
    assert "Page 3 of 3 · 100 rows" in lines(third)
    assert details(run, StageName.IMPORT, 99) == third  # a page that is no more shows the last one
    assert follow(run, buttons(second)[0]) == first


def test_a_cut_value_can_be_seen_whole_and_left_again() -> None:
    """Show all opens the whole value, to its last character, and Back returns to the page it came from."""
    long = "".join(f"{n:05}," for n in range(8000))
    attributes = [ImportedAttribute(f"a{n:03}", "text", ("x",)) for n in range(60)]
    run = with_import(*attributes, ImportedAttribute("zzz", "text", (long,)))
    page = details(run, StageName.IMPORT, 2)
    show = next(b for b in buttons(page) if b["action_id"] == controls.SHOW_WHOLE)
    view = follow(run, show)
    read = whole_text(view)
    while following := [b for b in buttons(view) if b["action_id"] == controls.PAGE_NEXT]:
        view = follow(run, following[0])
        read += whole_text(view)
    assert read == long
    back = next(b for b in buttons(view) if b["action_id"] == controls.WHOLE_BACK)
    assert follow(run, back) == page


def whole_text(view: dict[str, Any]) -> str:
    """Return what a whole-value view shows of the value."""
    return "".join(
        block["elements"][0]["elements"][0]["text"]
        for block in view["blocks"]
        if block["type"] == "rich_text" and block["elements"][0]["type"] == "rich_text_preformatted"
    )


def test_a_value_that_is_not_cut_has_no_button() -> None:
    """Show all stands only where something is missing."""
    run = with_import(
        ImportedAttribute("a", "text", ("x" * 240,)), ImportedAttribute("b", "text", ("x" * 241,))
    )
    shown = [Reference.decode(b["value"]).attribute for b in buttons(details(run, StageName.IMPORT))]
    assert shown == ["b"]


@pytest.mark.parametrize("stage", list(StageName))
def test_a_private_value_is_nowhere(stage: StageName) -> None:
    """Whatever is marked private shows no value, in rows or whole, even if the run holds one by mistake."""
    secret = "E-1234-secret"
    clause = ClauseResult("employeeID", "EQUALS", ("x",), (secret,), passed=False, why=secret, private=True)
    change = Change(
        "employeeId", secret, secret, ChangeKind.CHANGED, secret, secret, ((secret, secret),), True
    )
    other = Change("jobTitle", "a", "b", ChangeKind.CHANGED, inputs=(("employeeID", secret),))
    key = KeyResult("employeeId", secret, (), decided=False, why=secret, private=True)
    run = samples.run(
        Outcome.CREATED,
        samples.stage(
            StageName.IMPORT,
            StageStatus.PASSED,
            "",
            samples.imported(ImportedAttribute("employeeID", "text", (secret,), (secret,), private=True)),
        ),
        samples.stage(
            StageName.SCOPE,
            StageStatus.PASSED,
            "",
            ScopeEvidence(True, "", filters=(FilterResult("f", False, (clause,)),)),
        ),
        samples.stage(StageName.MATCH, StageStatus.PASSED, "", MatchEvidence("", (key,), None)),
        samples.stage(StageName.ACTION, StageStatus.PASSED, "", ActionEvidence()),
        plan=replace(samples.UPDATE, changes=(change, other)),
    )
    shown = str(details(run, stage))
    for attribute in ("employeeID", "employeeId", "jobTitle"):
        shown += str(details(run, stage, whole=attribute))
    assert secret not in shown
    assert "present, hidden" in shown


def test_a_plan_that_is_not_carried_out_is_called_planned() -> None:
    """The details of a preview, a failure or a refusal never say that something was created."""
    for outcome in Outcome:
        run = samples.OUTCOMES[outcome]
        if run.plan is None or run.plan.action is PlanAction.NONE:
            continue
        said = "\n".join(lines(details(run, StageName.ACTION)))
        done = outcome in {Outcome.CREATED, Outcome.UPDATED, Outcome.RESTORED}
        assert ("Planned: " in said) is not done


def test_a_short_answer_can_stand_in_a_modal() -> None:
    """Where there is no message to answer beside, the same sentences open as a modal."""
    view = told("Not allowed", notices.refused("look"))
    assert_modal_fits({"private_metadata": "", **view})
    assert lines(view)[:2] == ["Not allowed", "You may not look at runs. Nothing was done."]


def test_an_expired_run_says_what_to_do() -> None:
    """A click on an old message opens an explanation."""
    view = expired(samples.RUN_ID)
    assert "no longer stored" in view_as_text(view)
    assert "Run it again" in view_as_text(view)
