"""The four details views, read as people read them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from bot.views import controls, notices
from bot.views.controls import Reference
from bot.views.details import TOO_LATE, details, expired, told, too_late
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
    TraceStep,
)
from tests.unit.views import samples
from tests.unit.views.payloads import assert_message_fits, assert_modal_fits, buttons, follow, opened

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
    """Group by group, several values one a line, decoded beside raw, private ones without a value."""
    run = with_import(
        ImportedAttribute("userAccountControl", "integer", ("512",), ("normal account",)),
        ImportedAttribute("employeeID", "text", ("E-1234",), private=True),
        ImportedAttribute("proxyAddresses", "text", ("SMTP:ada@x", "smtp:a@x"), total=2),
        ImportedAttribute("cn", "text", ("Ada ",)),
        ImportedAttribute("thumbnailPhoto", "binary", ("8,192 octets, JPEG",)),
    )
    assert lines(opened(run, StageName.IMPORT)) == [
        "Import details",
        *HEAD,
        "✅ Passed. 4 attributes.",
        "took 12 ms",
        (
            "5 attributes · from dc1.contoso.test · read 2026-11-23 14:02 UTC · top › person › user · "
            "changed 2026-11-20T10:00:00Z · USN 81234 · 2 attributes never read"
        ),
        "member: the first 1,500 of 9,000 values.",
        "Search names and values:",
        "[Copy as text]",
        "Identity (1)",
        "cn",
        '"Ada "',
        "Account (1)",
        "userAccountControl  integer",
        "Raw",
        "512",
        "Decoded",
        "normal account",
        "Organisation (1)",
        "employeeID",
        "present, hidden",
        "Contact (1)",
        "thumbnailPhoto",
        "binary",
        "8,192 octets, JPEG",
        "Mail (1)",
        "proxyAddresses",
        "SMTP:ada@x",
        "smtp:a@x",
    ]


def test_scope_shows_every_clause_with_what_was_wanted_and_what_is_there() -> None:
    """The verdict, then unit, filter and clause, each with whether it is met."""
    view = opened(samples.OUTCOMES[Outcome.SKIPPED], StageName.SCOPE)
    assert lines(view) == [
        "Scope details",
        *HEAD,
        "⏭️ Skipped. “Full-time staff” wants employeeType EQUALS Employee, AD has Contractor.",
        "took 12 ms",
        "Out of scope.",
        "[Copy as text]",
        "Organizational units: below any of these",
        "✅ Met  OU=Corp,DC=contoso,DC=test",
        "The object lies below it.",
        "Scope filter",
        "❌ Not met  “Full-time staff”  1 of 2 conditions",
        "❌ Not met  employeeType EQUALS",
        "Wanted",
        "Employee",
        "In Active Directory",
        "Contractor",
        "✅ Met  mail IS NOT NULL",
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
    assert lines(opened(run, StageName.MATCH)) == [
        "Match details",
        *HEAD,
        "❌ Refused. 2 objects share its mail: Ada (ada@x), Ada (ada@y).",
        "What you can do: Make the matching value unique in Entra ID, or set the anchor on the right one.",
        "Running it again helps only after that.",
        "took 12 ms · Support id 01JDABCDEFGHJKMNPQRSTVWXK3 · request-id abc-123",
        "Decision. 2 objects share its mail.",
        "[Copy as text]",
        "Keys, in the order they were tried",
        "1. onPremisesImmutableId  nobody has it",
        "Value asked for",
        "b5YZ==",
        "2. mail  2 objects have it · this key decided",
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
    assert lines(opened(run, StageName.ACTION)) == [
        "Action details",
        *HEAD,
        "✅ Passed. Updated 4 attributes.",
        "took 12 ms",
        "Updated the user  1 changed · 1 added · 1 cleared · 1 not written · 1 same",
        "Entra ID: alan@contoso.test · id 11111111-2222-3333-4444-555555555555 · plan ab",
        "[Only what changes]  [Copy as text]",
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
    seen = lines(opened(samples.OUTCOMES[Outcome.PARTIAL], StageName.ACTION))
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
    view = opened(run, stage)
    assert_modal_fits(view)
    assert Reference.decode(view["private_metadata"]) == Reference(run.run_id, stage)
    assert view["callback_id"] == "details"


def test_a_stage_that_was_not_reached_says_so() -> None:
    """An empty view explains itself."""
    seen = lines(opened(samples.OUTCOMES[Outcome.SKIPPED], StageName.ACTION))
    assert "⚪ Not reached" in seen
    assert seen[-1] == "This stage has not been reached."


def test_pages_lead_on_and_back() -> None:
    """Next and Previous lead from page to page; the ends have only one of them."""
    run = with_import(*(ImportedAttribute(f"a{n:03}", "text", ("x",)) for n in range(100)))
    first = opened(run, StageName.IMPORT)
    assert turning(first) == ["Next"]
    second = follow(run, buttons(first)[-1])
    assert turning(second) == ["Previous", "Next"]
    third = follow(run, buttons(second)[-1])
    assert turning(third) == ["Previous"]
    assert "Page 3 of 3 · 100 rows" in lines(third)
    assert opened(run, StageName.IMPORT, 99) == third  # a page that is no more shows the last one
    assert follow(run, buttons(second)[-2]) == first


def turning(view: dict[str, Any]) -> list[str]:
    """Return the buttons that turn a view's pages."""
    ids = {controls.PAGE_PREVIOUS, controls.PAGE_NEXT}
    return [b["text"]["text"] for b in buttons(view) if b["action_id"] in ids]


def test_a_cut_value_can_be_seen_whole() -> None:
    """Show all opens the whole value, to its last character; Back closes it, and the rows are below."""
    long = "".join(f"{n:05}," for n in range(8000))
    attributes = [ImportedAttribute(f"a{n:03}", "text", ("x",)) for n in range(60)]
    run = with_import(*attributes, ImportedAttribute("zzz", "text", (long,)))
    page = opened(run, StageName.IMPORT, 2)
    show = next(b for b in buttons(page) if b["action_id"] == controls.SHOW_WHOLE)
    view = follow(run, show)
    read = whole_text(view)
    while following := [b for b in buttons(view) if b["action_id"] == controls.PAGE_NEXT]:
        view = follow(run, following[0])
        read += whole_text(view)
    assert read == long
    assert view["close"]["text"] == "Back"


def test_a_value_in_the_place_of_the_rows_leads_back_to_them() -> None:
    """Where Slack stacks no further view, the value has a Back of its own, to the very page and search."""
    run = with_import(*(ImportedAttribute(f"a{n:03}", "text", ("x" * 300,)) for n in range(60)))
    rows = replace(Reference(run.run_id, StageName.IMPORT, 2), find="a0")
    shown = details(run, Reference(run.run_id, StageName.IMPORT, 1, "a001"), back_to=rows)
    assert shown["close"]["text"] == "Close"
    back = next(b for b in buttons(shown) if b["action_id"] == controls.WHOLE_BACK)
    assert follow(run, back) == details(run, rows)


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
    shown = [b for b in buttons(opened(run, StageName.IMPORT)) if b["action_id"] == controls.SHOW_WHOLE]
    assert [Reference.decode(b["value"]).attribute for b in shown] == ["b"]


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
    shown = str(opened(run, stage))
    for attribute in ("employeeID", "employeeId", "jobTitle"):
        shown += str(opened(run, stage, whole=attribute))
    assert secret not in shown
    assert "present, hidden" in shown


def test_a_plan_that_is_not_carried_out_is_called_planned() -> None:
    """The details of a preview, a failure or a refusal never say that something was created."""
    for outcome in Outcome:
        run = samples.OUTCOMES[outcome]
        if run.plan is None or run.plan.action is PlanAction.NONE:
            continue
        said = "\n".join(lines(opened(run, StageName.ACTION)))
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


# -- searched, filtered, as text, and why ------------------------------------------------------------------


def test_the_import_is_searched_by_name_and_by_value() -> None:
    """Search keeps the attributes whose name or value holds what was typed, in any case, on every page."""
    run = with_import(
        ImportedAttribute("title", "text", ("Reader",)),
        ImportedAttribute("department", "text", ("The READING room",)),
        ImportedAttribute("userAccountControl", "integer", ("512",), ("normal account",)),
        ImportedAttribute("employeeID", "text", (), private=True),
    )
    rows = Reference(run.run_id, StageName.IMPORT)

    def names(typed: str) -> list[str]:
        view = details(run, rows.found(typed))
        assert_modal_fits(view)
        texts = (f["text"] for b in view["blocks"] for f in [b.get("text"), *b.get("fields", [])] if f)
        known = ("title", "department", "userAccountControl", "employeeID")
        return [name for text in texts for name in known if f"*{name}*" in text]

    assert names("read") == ["department", "title"]
    assert names("NORMAL") == ["userAccountControl"]
    assert "Account" in lines(details(run, rows.found("normal")))  # not "Account (1)": found is not all
    assert names("employeeid") == ["employeeID"]
    assert names("xyz") == []
    empty = details(run, rows.found("xyz"))
    assert "Nothing here holds “xyz”." in lines(empty)
    clear = next(b for b in buttons(empty) if b["action_id"] == controls.CLEAR)
    assert follow(run, clear) == opened(run, StageName.IMPORT)


def test_a_search_is_kept_while_pages_turn() -> None:
    """Next shows the next page of what was found, and the field still holds what was typed."""
    run = with_import(*(ImportedAttribute(f"a{n:03}", "text", ("x",)) for n in range(100)))
    found = details(run, Reference(run.run_id, StageName.IMPORT).found("a0"))
    assert "Page 1 of 3 · 100 rows" in lines(found)  # a000 to a099 all hold it
    second = follow(run, buttons(found)[-1])
    assert "Search names and values: a0" in lines(second)
    assert "Page 2 of 3 · 100 rows" in lines(second)


def test_the_action_shows_only_what_changes() -> None:
    """The filter leaves out what is the same on both sides, and leads back."""
    run = samples.OUTCOMES[Outcome.UPDATED]
    everything = opened(run, StageName.ACTION)
    only = follow(run, next(b for b in buttons(everything) if b["action_id"] == controls.FILTER))
    assert "Same on both sides (1)" in lines(everything)
    assert "Same on both sides (1)" not in lines(only)
    assert "Changed (3)" in lines(only)
    back = next(b for b in buttons(only) if b["action_id"] == controls.FILTER)
    assert back["text"]["text"] == "Show all"
    assert follow(run, back) == everything


def test_one_member_of_two_thousand_is_found() -> None:
    """Search finds a member by name or by distinguished name, alone."""
    members = tuple(
        replace(samples.GROUP.members[0], name=f"Member {n:04}", dn=f"CN=m{n:04}") for n in range(2000)
    )
    run = replace(samples.OUTCOMES[Outcome.PARTIAL], plan=replace(samples.GROUP, members=members))
    rows = Reference(run.run_id, StageName.ACTION)
    for typed in ("member 1234", "cn=m1234"):
        seen = lines(details(run, rows.found(typed)))
        assert [line for line in seen if line.startswith("• ")] == ["• Member 1234"]


def test_copy_as_text_holds_every_row() -> None:
    """The rows of all pages stand in one text, values exactly as they are, private ones hidden."""
    run = with_import(
        *(ImportedAttribute(f"a{n:03}", "text", (f"<value> *{n}*",)) for n in range(100)),
        ImportedAttribute("employeeID", "text", (), private=True),
    )
    copy = next(b for b in buttons(opened(run, StageName.IMPORT)) if b["action_id"] == controls.COPY_TEXT)
    text = whole_text(follow(run, copy)).split("\n")
    assert text[:3] == ["Import: Passed. 4 attributes", DN, f"run {samples.RUN_ID}"]
    assert [line for line in text if line.startswith("a0")] == [f"a{n:03}: <value> *{n}*" for n in range(100)]
    assert "employeeID: present, hidden" in text


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("stage", list(StageName))
def test_every_stage_can_be_copied(outcome: Outcome, stage: StageName) -> None:
    """What is drawn is also in the text to be copied: each attribute's name and each group."""
    run = samples.OUTCOMES[outcome]
    view = opened(run, stage)
    copy = [b for b in buttons(view) if b["action_id"] == controls.COPY_TEXT]
    bold = re.findall(r"\*([^*]+)\* {1,2}(?:changed|added|EQUALS)", str(view["blocks"]))
    assert copy or not bold
    for button in copy:
        text = whole_text(follow(run, button))
        assert all(name in text for name in bold)


def test_why_shows_which_branch_was_taken() -> None:
    """From a row the mapping opens: values, inputs, and each step of the evaluation with its result."""
    trace = (
        TraceStep(0, 'IIF(IsPresent([title]), Trim([title]), "none")', '"Reader"'),
        TraceStep(1, "IsPresent([title])", "True"),
        TraceStep(1, "Trim([title])", '"Reader"', taken=True),
        TraceStep(2, "[title]", '" Reader"'),
        TraceStep(1, '"none"', "", evaluated=False, taken=False),
    )
    change = replace(samples.CHANGES[0], mapping=trace[0].text, trace=trace)
    run = replace(samples.OUTCOMES[Outcome.UPDATED], plan=replace(samples.UPDATE, changes=(change,)))
    (why,) = [b for b in buttons(opened(run, StageName.ACTION)) if b["text"]["text"] == "Why"]
    view = follow(run, why)
    assert_modal_fits(view)
    assert lines(view)[1:] == [
        "jobTitle",
        "Before",
        "Fellow",
        "After",
        "Reader",
        "Mapping",
        'IIF(IsPresent([title]), Trim([title]), "none")',
        "Input title",
        '" Reader"',
        "How it was evaluated",
        'The whole  →  "Reader"',
        "IsPresent([title])  →  True",
        '✔ taken: Trim([title])  →  "Reader"',
        '[title]  →  " Reader"',
        '✘ not taken: "none"',
    ]


def test_why_tells_nothing_of_a_private_input() -> None:
    """A trace that read a hidden attribute is not shown, even if the run holds one by mistake."""
    trace = (TraceStep(0, "Trim([employeeID])", '"E-1234-secret"'),)
    change = replace(samples.CHANGES[0], inputs=(("employeeID", "E-1234-secret"),), trace=trace)
    hidden = ImportedAttribute("employeeID", "text", (), private=True)
    run = replace(with_import(hidden), plan=replace(samples.UPDATE, changes=(change,)))
    assert "secret" not in str(opened(run, StageName.ACTION, whole="jobTitle"))


def test_input_filters_stand_apart_from_scope_filters() -> None:
    """Both sets have to let the object in, so each has a heading of its own."""
    (scope_filter,) = samples.scoped().filters
    evidence = replace(samples.scoped(), input_filters=(replace(scope_filter, name="Contoso only"),))
    run = samples.OUTCOMES[Outcome.CREATED].with_stage(
        samples.stage(StageName.SCOPE, StageStatus.PASSED, evidence.why, evidence)
    )
    seen = lines(opened(run, StageName.SCOPE))
    assert seen.index("Scope filter") < seen.index("✅ Met  “Full-time staff”  2 of 2 conditions")
    assert seen.index("Input filter") < seen.index("✅ Met  “Contoso only”  2 of 2 conditions")


def test_no_time_at_all_is_not_told() -> None:
    """A stage that took less than a millisecond has no line about it."""
    run = samples.OUTCOMES[Outcome.CREATED]
    quick = replace(run.stage(StageName.IMPORT), duration_ms=0)
    assert "took" not in "\n".join(lines(opened(run.with_stage(quick), StageName.IMPORT)))


def test_a_click_that_came_to_nothing_is_told_above_the_rows() -> None:
    """What Slack did not open in time is said where the click was, and the rows stay."""
    run = samples.OUTCOMES[Outcome.CREATED]
    view = details(run, Reference(run.run_id, StageName.IMPORT), notice=TOO_LATE)
    assert_modal_fits(view)
    assert "Press it again" in lines(view)[1]
    assert set(lines(opened(run, StageName.IMPORT))) < set(lines(view))
    assert_message_fits(too_late().payload())


def test_an_object_that_answers_to_several_keys_is_described_once() -> None:
    """Under a later key it is named and no more, and what the key came too late for is said once."""
    late = "1 found, but an earlier key had decided"
    keys = (
        KeyResult("mail", "ada@x", (samples.CANDIDATE,), decided=True, why="exactly one has this value"),
        KeyResult("userPrincipalName", "ada@x", (samples.CANDIDATE,), decided=False, why=late),
    )
    run = samples.OUTCOMES[Outcome.CREATED].with_stage(
        samples.stage(StageName.MATCH, StageStatus.PASSED, "", MatchEvidence("", keys, samples.CANDIDATE))
    )
    seen = lines(opened(run, StageName.MATCH))
    assert sum(1 for line in seen if line.startswith("id ")) == 1
    assert "→ Alan Turing, the same object as above" in seen
    assert "An earlier key had decided." in seen
