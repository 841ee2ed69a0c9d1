"""The message of a run, read as people read it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.views import controls, wording
from bot.views.message import Hints, run_message
from bot.views.plain import as_text
from pipeline.model import Change, ChangeKind, Mode, Outcome, Run, StageName, StageStatus, TargetKind
from pipeline.provision import CLOUD_ONLY, WRITES_OFF
from tests.unit.views import samples
from tests.unit.views.payloads import buttons

WHO = "@maria · provision · user · configuration contoso (7f3a91c) · London › Engineering"
WHO_PREVIEW = "@maria · preview · user · configuration contoso (7f3a91c) · London › Engineering"
IMPORT = "✅ Import  Passed. 46 attributes from dc1.contoso.test  [View details]"
SCOPE = "✅ Scope  Passed. In scope: 2 of 2 conditions of “Full-time staff”  [View details]"
MATCH = "✅ Match  Passed. Nobody matches on 3 keys, so a new user is created  [View details]"
NO_MATCH, NO_ACTION = "⚪ Match  Not reached", "⚪ Action  Not reached"
FOOT = "0.4 s · 2026-11-23 14:02 UTC · run 01JD…K3"
AGAIN, BOTH = "[Run again]  [History]", "[Provision this]  [Run again]  [History]"
PREVIEW_OR_AGAIN = "[Preview]  [Run again]  [History]"
SUPPORT = "Support id 01JDABCDEFGHJKMNPQRSTVWXK3"
PLANNED = (
    "jobTitle “Fellow” → “Reader” · city “London” → “Cambridge” · mobilePhone “+44 1” → “+44 2” · "
    "department (empty) → “Computing”"
)

EXPECTED: dict[Outcome, list[str]] = {
    Outcome.RUNNING: [
        "Ada Lovelace: provisioning…",
        WHO,
        IMPORT,
        "⏳ Scope  Running",
        "⚪ Match  Waiting",
        "⚪ Action  Waiting",
        "2026-11-23 14:02 UTC · run 01JD…K3",
        "[Cancel]",
    ],
    Outcome.CREATED: [
        "Ada Lovelace was created in Entra ID",
        WHO,
        IMPORT,
        SCOPE,
        MATCH,
        "✅ Action  Passed. Created with 23 attributes, manager linked  [View details]",
        FOOT,
        AGAIN,
    ],
    Outcome.UPDATED: [
        "Ada Lovelace was updated in Entra ID: 3 changes, 1 addition",
        WHO,
        IMPORT,
        SCOPE,
        MATCH,
        "✅ Action  Passed. Updated 4 attributes  [View details]",
        FOOT,
        AGAIN,
    ],
    Outcome.UNCHANGED: [
        "Ada Lovelace is already up to date in Entra ID",
        WHO,
        IMPORT,
        SCOPE,
        MATCH,
        "✅ Action  Passed. Nothing to do: all 26 attributes are already as they should be  [View details]",
        FOOT,
        AGAIN,
    ],
    Outcome.RESTORED: [
        "Ada Lovelace was restored in Entra ID",
        WHO,
        IMPORT,
        SCOPE,
        MATCH,
        "✅ Action  Passed. Restored, 4 attributes updated  [View details]",
        FOOT,
        AGAIN,
    ],
    Outcome.WOULD_CREATE: [
        "Preview: Ada Lovelace would be created with 2 attributes — nothing was written",
        WHO_PREVIEW,
        IMPORT,
        SCOPE,
        MATCH,
        "✅ Action  Passed. Would create 2 attributes; nothing was written  [View details]",
        "userPrincipalName “ada@contoso.test” · displayName “Ada Lovelace”",
        (
            "Written directly through Microsoft Graph, it would be a cloud-only user that carries the "
            "directory's anchor; the synchronisation service would not own it."
        ),
        FOOT,
        BOTH,
    ],
    Outcome.WOULD_UPDATE: [
        "Preview: 3 changes, 1 addition for Ada Lovelace — nothing was written",
        WHO_PREVIEW,
        IMPORT,
        SCOPE,
        MATCH,
        "✅ Action  Passed. Would update 4 attributes; nothing was written  [View details]",
        PLANNED,
        FOOT,
        BOTH,
    ],
    Outcome.WOULD_RESTORE: [
        "Preview: Ada Lovelace would be restored — nothing was written",
        WHO_PREVIEW,
        IMPORT,
        SCOPE,
        MATCH,
        "✅ Action  Passed. Would restore; nothing was written  [View details]",
        PLANNED,
        FOOT,
        BOTH,
    ],
    Outcome.SKIPPED: [
        "Ada Lovelace was not provisioned: out of scope",
        WHO,
        IMPORT,
        (
            "⏭️ Scope  Skipped. “Full-time staff” wants employeeType EQUALS Employee, AD has Contractor  "
            "[View details]"
        ),
        NO_MATCH,
        NO_ACTION,
        (
            "What you can do: Correct employeeType in Active Directory, "
            "or ask someone who may override the scope."
        ),
        "Nothing was written.",
        FOOT,
        AGAIN,
    ],
    Outcome.REFUSED: [
        "Ada Lovelace was not provisioned: several objects in Entra ID match",
        WHO,
        IMPORT,
        SCOPE,
        "❌ Match  Refused. 2 objects share its mail: Ada (ada@x), Ada (ada@y).  [View details]",
        NO_ACTION,
        "What you can do: Make the matching value unique in Entra ID, or set the anchor on the right one.",
        "Nothing was written. Running it again helps only after that.",
        f"{SUPPORT} · request-id abc-123",
        FOOT,
        PREVIEW_OR_AGAIN,
    ],
    Outcome.FAILED: [
        "Ada Lovelace was not provisioned: another object in Entra ID holds a value that must be unique",
        WHO,
        IMPORT,
        SCOPE,
        MATCH,
        (
            "❌ Action  Failed. Another object with the same value for property userPrincipalName "
            "already exists.  "
            "[View details]"
        ),
        "What you can do: Find the other object and decide which of the two is right; then run again.",
        "Nothing was written. Running it again helps only after that.",
        f"{SUPPORT} · request-id abc-123",
        FOOT,
        PREVIEW_OR_AGAIN,
    ],
    Outcome.PARTIAL: [
        "Ada Lovelace was provisioned only in part",
        WHO,
        IMPORT,
        SCOPE,
        MATCH,
        "⚠️ Action  Warning. Created with 1 attribute and 1 member; 1 write refused  [View details]",
        (
            "What you can do: View the details of the action to see what was written and what was not, "
            "then run again."
        ),
        "1 write was carried out.",
        FOOT,
        PREVIEW_OR_AGAIN,
    ],
    Outcome.UNKNOWN: [
        "Ada Lovelace: a write was sent, and whether it was carried out is not known",
        WHO,
        IMPORT,
        SCOPE,
        MATCH,
        (
            "⚠️ Action  Unknown. The answer to the creation was lost, and the object cannot be seen in "
            "Entra ID yet.  [View details]"
        ),
        "What you can do: Look at the object in Entra ID before running again.",
        f"{SUPPORT} · request-id abc-123",
        FOOT,
        PREVIEW_OR_AGAIN,
    ],
    Outcome.CANCELLED: [
        "Ada Lovelace was not provisioned: the run was cancelled",
        WHO,
        IMPORT,
        "⚪ Scope  Not reached",
        NO_MATCH,
        NO_ACTION,
        "What you can do: Run again when it is wanted after all.",
        "Nothing was written.",
        FOOT,
        PREVIEW_OR_AGAIN,
    ],
    Outcome.INTERRUPTED: [
        "The run for Ada Lovelace was interrupted before its end",
        WHO,
        IMPORT,
        SCOPE,
        "⚠️ Match  Stopped. Interrupted: Fourcheck was stopped here",
        NO_ACTION,
        "What happened: Fourcheck was stopped during this run; nothing was written.",
        "What you can do: Run again: what is already right is left as it is.",
        "Running it again may help.",
        SUPPORT,
        FOOT,
        PREVIEW_OR_AGAIN,
    ],
    Outcome.AWAITING_APPROVAL: [
        "Ada Lovelace waits for a second person's approval — nothing was written",
        WHO,
        IMPORT,
        SCOPE,
        MATCH,
        "✅ Action  Passed. Would create 2 attributes; nothing was written  [View details]",
        "What you can do: Ask someone who may approve to look at the plan.",
        FOOT,
    ],
}


@pytest.mark.parametrize("outcome", list(Outcome))
def test_each_outcome_reads_as_a_person_would_say_it(outcome: Outcome) -> None:
    """Every outcome of the model has its own message, word by word."""
    message = run_message(samples.OUTCOMES[outcome], writes_on=True)
    assert as_text(message, samples.PEOPLE).split("\n") == EXPECTED[outcome]


HEADLINES: dict[tuple[Outcome, Mode], str] = {
    (Outcome.RUNNING, Mode.PROVISION): "Ada Lovelace: provisioning…",
    (Outcome.RUNNING, Mode.PREVIEW): "Ada Lovelace: previewing…",
    (Outcome.CREATED, Mode.PROVISION): "Ada Lovelace was created in Entra ID",
    (Outcome.CREATED, Mode.PREVIEW): "Ada Lovelace was created in Entra ID, although this was a preview",
    (Outcome.UPDATED, Mode.PROVISION): "Ada Lovelace was updated in Entra ID: 3 changes, 1 addition",
    (Outcome.UPDATED, Mode.PREVIEW): "Ada Lovelace was updated in Entra ID, although this was a preview",
    (Outcome.UNCHANGED, Mode.PROVISION): "Ada Lovelace is already up to date in Entra ID",
    (Outcome.UNCHANGED, Mode.PREVIEW): "Preview: Ada Lovelace is already up to date in Entra ID",
    (Outcome.RESTORED, Mode.PROVISION): "Ada Lovelace was restored in Entra ID",
    (Outcome.RESTORED, Mode.PREVIEW): "Ada Lovelace was restored in Entra ID, although this was a preview",
    (Outcome.WOULD_CREATE, Mode.PROVISION): (
        "Ada Lovelace would be created with 2 attributes — nothing was written"
    ),
    (Outcome.WOULD_CREATE, Mode.PREVIEW): (
        "Preview: Ada Lovelace would be created with 2 attributes — nothing was written"
    ),
    (Outcome.WOULD_UPDATE, Mode.PROVISION): (
        "Ada Lovelace would be updated: 3 changes, 1 addition — nothing was written"
    ),
    (Outcome.WOULD_UPDATE, Mode.PREVIEW): (
        "Preview: 3 changes, 1 addition for Ada Lovelace — nothing was written"
    ),
    (Outcome.WOULD_RESTORE, Mode.PROVISION): "Ada Lovelace would be restored — nothing was written",
    (Outcome.WOULD_RESTORE, Mode.PREVIEW): "Preview: Ada Lovelace would be restored — nothing was written",
    (Outcome.SKIPPED, Mode.PROVISION): "Ada Lovelace was not provisioned: out of scope",
    (Outcome.SKIPPED, Mode.PREVIEW): "Preview: Ada Lovelace would not be provisioned: out of scope",
    (Outcome.REFUSED, Mode.PROVISION): (
        "Ada Lovelace was not provisioned: several objects in Entra ID match"
    ),
    (Outcome.REFUSED, Mode.PREVIEW): (
        "Preview: Ada Lovelace would be refused: several objects in Entra ID match"
    ),
    (Outcome.FAILED, Mode.PROVISION): (
        "Ada Lovelace was not provisioned: another object in Entra ID holds a value that must be unique"
    ),
    (Outcome.FAILED, Mode.PREVIEW): (
        "Ada Lovelace could not be previewed: another object in Entra ID holds a value that must be unique"
    ),
    (Outcome.PARTIAL, Mode.PROVISION): "Ada Lovelace was provisioned only in part",
    (Outcome.PARTIAL, Mode.PREVIEW): (
        "Ada Lovelace was provisioned only in part, although this was a preview"
    ),
    (Outcome.UNKNOWN, Mode.PROVISION): (
        "Ada Lovelace: a write was sent, and whether it was carried out is not known"
    ),
    (Outcome.UNKNOWN, Mode.PREVIEW): (
        "Ada Lovelace: a write was sent, and what came of it is not known, although this was a preview"
    ),
    (Outcome.CANCELLED, Mode.PROVISION): "Ada Lovelace was not provisioned: the run was cancelled",
    (Outcome.CANCELLED, Mode.PREVIEW): "The preview of Ada Lovelace was cancelled",
    (Outcome.INTERRUPTED, Mode.PROVISION): "The run for Ada Lovelace was interrupted before its end",
    (Outcome.INTERRUPTED, Mode.PREVIEW): "The preview of Ada Lovelace was interrupted before its end",
    (Outcome.AWAITING_APPROVAL, Mode.PROVISION): (
        "Ada Lovelace waits for a second person's approval — nothing was written"
    ),
    (Outcome.AWAITING_APPROVAL, Mode.PREVIEW): (
        "The preview of Ada Lovelace waits for a second person's approval — nothing was written"
    ),
}
"""What each outcome is called in each mode, the impossible ones as well: were it so, it would be said."""


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_in_every_mode_has_its_own_true_sentence(outcome: Outcome, mode: Mode) -> None:
    """Header and spoken text begin with the sentence of this outcome in this mode, and of no other."""
    message = run_message(replace(samples.OUTCOMES[outcome], mode=mode), writes_on=True)
    own = HEADLINES[outcome, mode]
    assert message.blocks[0]["text"]["text"] == own
    assert message.text.startswith(own + ("" if own.endswith("…") else "."))
    others = [said for key, said in HEADLINES.items() if key != (outcome, mode)]
    assert own not in others
    assert not [said for said in others if message.text.startswith(f"{said}.")]


@pytest.mark.parametrize("mode", list(Mode))
def test_no_two_outcomes_share_a_headline(mode: Mode) -> None:
    """The headline alone tells every outcome from every other."""
    headlines = {wording.headline(replace(run, mode=mode)) for run in samples.OUTCOMES.values()}
    assert set(wording.OUTCOMES) == set(Outcome)
    assert len(headlines) == len(Outcome)


def test_nothing_is_counted_as_zero() -> None:
    """What there is none of is left out of the counts."""
    for run in samples.OUTCOMES.values():
        said = str(run_message(run, writes_on=True).payload())
        assert not re.search(r"\b0 (?:cleared|changed|changes|additions?|ms)\b", said)


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ((ChangeKind.CHANGED,), "1 change"),
        ((ChangeKind.ADDED, ChangeKind.ADDED), "2 additions"),
        ((ChangeKind.CHANGED, ChangeKind.CLEARED), "1 change, 1 cleared"),
        ((ChangeKind.SAME,), "no changes"),  # of a plan that cannot be: still no empty sentence
    ],
)
def test_the_counts_of_an_update(kinds: tuple[ChangeKind, ...], said: str) -> None:
    """Each kind of change that there is, with its number."""
    changes = tuple(Change(f"a{n}", "x", "y", kind) for n, kind in enumerate(kinds))
    run = replace(samples.OUTCOMES[Outcome.UPDATED], plan=replace(samples.UPDATE, changes=changes))
    assert wording.headline(run) == f"Ada Lovelace was updated in Entra ID: {said}"


def test_a_wait_is_seen_while_it_lasts() -> None:
    """What a running stage says of itself, such as a wait, stands in its line and in the spoken text."""
    waiting = "Throttled by Microsoft Graph, waiting 12 s"
    run = samples.OUTCOMES[Outcome.RUNNING].with_stage(
        samples.stage(StageName.SCOPE, StageStatus.RUNNING, waiting)
    )
    message = run_message(run, writes_on=True)
    assert f"⏳ Scope  Running. {waiting}" in as_text(message)
    assert f"Scope running: {waiting}." in message.text


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("kind_not_creatable", "Running it again gives the same answer"),  # a contact stays a contact
        ("synchronized_target", "Running it again gives the same answer"),  # so does what is synchronised
        ("plan_stale", "would write the new plan without anybody having seen it"),  # preview it instead
        ("match_ambiguous", "Running it again helps only after that."),
    ],
)
def test_what_running_again_would_bring(code: str, said: str) -> None:
    """Whether running again helps is said as it is for this error, not by one rule for all."""
    error = samples.error(code, "It was refused.", "Do something.")
    run = replace(samples.OUTCOMES[Outcome.REFUSED], error=error)
    assert said in as_text(run_message(run, writes_on=True))


def test_the_footer_says_where_the_time_went() -> None:
    """Stages that took a tenth of a second or more are named; shorter ones would be noise."""
    run = samples.OUTCOMES[Outcome.CREATED]
    slow = replace(run.stage(StageName.MATCH), duration_ms=312)
    shown = as_text(run_message(run.with_stage(slow), writes_on=True))
    assert "0.4 s (match 0.3 s) · 2026-11-23 14:02 UTC · run 01JD…K3" in shown


@pytest.mark.parametrize("outcome", list(Outcome))
def test_success_is_said_of_success_only(outcome: Outcome) -> None:
    """Only a run that wrote says that it did; only one that did not says that nothing was written."""
    said = run_message(samples.OUTCOMES[outcome], writes_on=True).text
    wrote = outcome in {Outcome.CREATED, Outcome.UPDATED, Outcome.RESTORED}
    assert any(word in said for word in ("was created in", "was updated in", "was restored in")) is wrote
    if wrote or outcome in {Outcome.PARTIAL, Outcome.UNKNOWN}:
        assert "othing was written" not in said


@pytest.mark.parametrize("outcome", [o for o in Outcome if not o.succeeded and o is not Outcome.RUNNING])
def test_every_end_that_is_no_success_says_what_to_do(outcome: Outcome) -> None:
    """Nobody is left without a next step, even where the run carries no error."""
    run = replace(samples.OUTCOMES[outcome], error=None)
    assert "*What you can do:*" in str(run_message(run, writes_on=True).blocks)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_the_text_alone_says_the_whole_outcome(outcome: Outcome) -> None:
    """A screen reader reads only the text: headline, each stage with its status, what to do."""
    run = samples.OUTCOMES[outcome]
    said = run_message(run, writes_on=True).text
    assert said.startswith(wording.headline(run))
    for name in ("Import", "Scope", "Match", "Action"):
        assert f"{name} " in said
    if run.error is not None:
        assert run.error.remedy.rstrip(".") in said
        assert run.run_id in said


def test_written_after_all_is_never_called_nothing() -> None:
    """A failure after a write was carried out does not claim that nothing was written."""
    run = samples.OUTCOMES[Outcome.FAILED].with_stage(
        samples.action("Adding members failed", StageStatus.FAILED, samples.DONE)
    )
    said = run_message(run, writes_on=True).text
    assert "1 write was carried out." in said
    assert "Nothing was written" not in said


def test_a_warning_is_part_of_the_headline() -> None:
    """A run that succeeded with a reservation does not read like one without."""
    run = samples.OUTCOMES[Outcome.CREATED].with_stage(
        samples.action("Created with 22 attributes, manager not linked", StageStatus.WARNING, samples.DONE)
    )
    message = run_message(run, writes_on=True)
    assert message.text.startswith("Ada Lovelace was created in Entra ID, with a warning.")
    assert "⚠️ Action  Warning. Created with 22 attributes, manager not linked" in as_text(message)


def test_writing_switched_off_is_said_and_offers_no_writing() -> None:
    """An installation that writes nothing says so and has no button that would write."""
    message = run_message(samples.OUTCOMES[Outcome.WOULD_UPDATE], writes_on=False)
    assert "⚠️ Warning: Writing is switched off here" in as_text(message)
    assert [b["action_id"] for b in buttons(message.payload())][-2:] == [controls.RUN_AGAIN, "history"]
    assert controls.PROVISION_THIS not in [b["action_id"] for b in buttons(message.payload())]


def test_what_the_run_says_already_is_not_said_twice() -> None:
    """A run that reports that writing is off carries one such warning, not two."""
    run = replace(samples.OUTCOMES[Outcome.WOULD_UPDATE], mode=Mode.PROVISION, warnings=(WRITES_OFF,))
    assert as_text(run_message(run, writes_on=False)).count("⚠️ Warning: Writing is switched off") == 1


def test_what_is_true_of_every_new_object_is_a_note_and_no_warning() -> None:
    """That a new object is cloud-only is said each time, but a warning sign stays for what is unusual."""
    run = replace(
        samples.OUTCOMES[Outcome.CREATED], warnings=(CLOUD_ONLY[TargetKind.USER], "The clock is wrong")
    )
    shown = as_text(run_message(run, writes_on=True)).split("\n")
    assert [line for line in shown if "⚠️" in line] == ["⚠️ Warning: The clock is wrong."]
    assert [line[:41] for line in shown if "cloud-only" in line] == [
        "Written directly through Microsoft Graph:"
    ]


def test_only_ids_stand_beside_the_support_id() -> None:
    """Of what an error carries along, people see the ids that support asks for."""
    run = samples.OUTCOMES[Outcome.FAILED]
    assert run.error is not None
    told = replace(
        run.error, ids={"date": "Mon", "request-id": "r", "property": "mail", "client-request-id": "c"}
    )
    shown = as_text(run_message(replace(run, error=told), writes_on=True))
    assert f"{SUPPORT} · request-id r · client-request-id c\n" in shown


def test_a_plaintext_directory_is_said_in_every_message() -> None:
    """The lab switch is seen wherever its results are."""
    for run in samples.OUTCOMES.values():
        message = run_message(run, writes_on=True, hints=Hints(plaintext_directory=True))
        assert "The directory is read without encryption" in as_text(message)


@pytest.mark.parametrize(
    ("run", "offered"),
    [
        (samples.OUTCOMES[Outcome.WOULD_UPDATE], True),  # a preview with a plan
        (replace(samples.OUTCOMES[Outcome.WOULD_UPDATE], mode=Mode.PROVISION), False),  # it was not a preview
        (replace(samples.OUTCOMES[Outcome.WOULD_UPDATE], plan=None), False),  # nothing to carry out
        (replace(samples.OUTCOMES[Outcome.UNCHANGED], mode=Mode.PREVIEW), False),  # nothing to do
        (replace(samples.OUTCOMES[Outcome.SKIPPED], mode=Mode.PREVIEW), False),  # out of scope
    ],
)
def test_only_a_writable_preview_can_be_provisioned(run: Run, *, offered: bool) -> None:
    """The button that writes stands only under a preview whose plan writes something."""
    ids = {b["action_id"]: b["value"] for b in buttons(run_message(run, writes_on=True).payload())}
    assert (controls.PROVISION_THIS in ids) is offered
    assert not offered or ids[controls.PROVISION_THIS] == run.run_id


def test_details_are_offered_as_soon_as_there_is_evidence_and_not_before() -> None:
    """A View details button never opens on nothing."""
    run = samples.OUTCOMES[Outcome.RUNNING]
    details = [b for b in buttons(run_message(run, writes_on=True).payload()) if "details" in b["action_id"]]
    assert [(b["action_id"], b["accessibility_label"]) for b in details] == [
        ("details_import", "View details of import")
    ]
    decoded = controls.Reference.decode(details[0]["value"])
    assert (decoded.run_id, decoded.stage, decoded.page) == (samples.RUN_ID, StageName.IMPORT, 1)


def test_private_values_stay_out_of_the_channel() -> None:
    """A planned change of a private attribute is named and its values are not, whatever the run holds."""
    run = samples.OUTCOMES[Outcome.WOULD_UPDATE]
    assert run.plan is not None
    hidden = replace(run.plan.changes[0], private=True)
    message = run_message(
        replace(run, plan=replace(run.plan, changes=(hidden, *run.plan.changes[1:]))), writes_on=True
    )
    assert "jobTitle (present, hidden)" in as_text(message)
    assert "Fellow" not in str(message.payload())
    assert "Reader" not in str(message.payload())


def test_a_long_plan_shows_a_few_changes_and_counts_the_rest() -> None:
    """The channel gets a taste of the plan, the modal the whole."""
    run = samples.OUTCOMES[Outcome.WOULD_UPDATE]
    assert run.plan is not None
    many = tuple(replace(run.plan.changes[1], attribute=f"attribute{n}") for n in range(1200))
    message = run_message(replace(run, plan=replace(run.plan, changes=many)), writes_on=True)
    assert "· and 1,196 more" in as_text(message)


def test_right_to_left_values_are_not_swapped_by_the_arrow() -> None:
    """Between two right-to-left values words stand instead of an arrow, which would be drawn reversed."""
    run = samples.OUTCOMES[Outcome.WOULD_UPDATE]
    assert run.plan is not None
    change = replace(run.plan.changes[0], before="مهندس", after="مدير", kind=ChangeKind.CHANGED)
    message = run_message(replace(run, plan=replace(run.plan, changes=(change,))), writes_on=True)
    assert "jobTitle from “مهندس” to “مدير”" in as_text(message)


def test_an_object_that_was_not_found_is_named_by_what_was_typed() -> None:
    """Before the directory answers, the first part of the typed name stands for the object."""
    run = replace(
        samples.run(Outcome.RUNNING),
        object=None,
        identifier="CN=O\\27Brien\\, Pat,OU=Sales,DC=contoso,DC=test",
    )
    assert run_message(run, writes_on=True).text.startswith("O'Brien, Pat: provisioning…")


@pytest.mark.parametrize(
    ("dn", "path"),
    [
        ("CN=A,OU=Engineering,OU=London,OU=Europe,DC=x", "London › Engineering"),  # the two nearest
        ("CN=A,OU=Research\\, Development,OU=Zürich,DC=x", "Zürich › Research, Development"),  # unescaped
        ("CN=a\\\\,OU=Sales,DC=x", "Sales"),  # an escaped backslash escapes no comma
        ("CN=A,CN=Users,DC=x", "Users"),  # a container is no unit, and still a place
        ("CN=A,DC=x", ""),  # right below the domain
        ("ada@contoso.test", ""),  # no distinguished name at all
    ],
)
def test_the_place_is_said_by_its_nearest_containers(dn: str, path: str) -> None:
    """The channel sees where the object lies without the whole distinguished name."""
    run = replace(samples.run(Outcome.RUNNING), object=None, identifier=dn)
    assert wording.container_path(run) == path


def test_a_very_long_name_leaves_the_outcome_readable() -> None:
    """The name is cut, never the outcome."""
    assert samples.ADA is not None
    run = replace(samples.OUTCOMES[Outcome.SKIPPED], object=replace(samples.ADA, name="x" * 5000))
    headline = wording.headline(run)
    assert len(headline) <= 150
    assert headline.endswith("was not provisioned: out of scope")


def test_times_come_from_the_run() -> None:
    """The footer says how long the run took and when it ended."""
    run = replace(
        samples.OUTCOMES[Outcome.CREATED], ended_at=samples.STARTED + timedelta(minutes=2, seconds=5)
    )
    assert "2 min 5 s · 2026-11-23 14:04 UTC" in as_text(run_message(run, writes_on=True))
