"""The engine and the sandbox tenant keep their own facts; every difference between them is named here.

They exist twice on purpose: a mistake in one is then found by the other.
"""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import facts
from pipeline.adapters.graph.errors import read_answer, to_error
from pipeline.model import TargetKind
from sandbox.tenant import facts as stand_in

USER, GROUP = TargetKind.USER, TargetKind.GROUP
THERE = stand_in.load()

# The stand-in takes what Graph takes; the engine does not write what it has no permission or no call for.
NOT_WRITTEN_HERE = {
    USER: {"customSecurityAttributes", "employeeLeaveDateTime", "identities"},
    GROUP: {"assignedLabels"},
}
# The engine calls a link writable; the stand-in means the body of the request alone. So it does with a key.
NOT_IN_A_BODY = {USER: {"manager"}, GROUP: {"members", "uniqueName"}}
# Not in the v1.0 model at all; here so that a mapping onto it is explained.
ONLY_HERE = {USER: {"onPremisesObjectIdentifier"}, GROUP: set[str]()}
ONLY_THERE = {USER: set[str](), GROUP: {"createdByAppId"}}
# A flag that every group has; the engine never clears it, the stand-in would take null for it.
CLEARED_THERE = {USER: set[str](), GROUP: {"mailEnabled", "securityEnabled"}}


def writable(kind: TargetKind) -> tuple[set[str], set[str]]:
    """Return what may be written on create and on update, here and there, where the two differ."""
    ours, theirs = facts.attributes(kind), THERE.properties[str(kind)]
    both = set(ours) & set(theirs)
    on_create = {name for name in both if ours[name].on_create is not theirs[name].create}
    on_update = {name for name in both if ours[name].on_update is not theirs[name].update}
    return on_create, on_update


@pytest.mark.parametrize("kind", [USER, GROUP])
def test_what_may_be_written(kind: TargetKind) -> None:
    """Both sides agree on every attribute, but for those named above."""
    on_create, on_update = writable(kind)
    named = NOT_WRITTEN_HERE[kind] | NOT_IN_A_BODY[kind]
    assert on_create | on_update == named


@pytest.mark.parametrize("kind", [USER, GROUP])
def test_which_attributes_there_are(kind: TargetKind) -> None:
    """Both sides know the same attributes; members of complex ones are told apart here only."""
    ours = {name for name in facts.attributes(kind) if "." not in name}
    theirs = set(THERE.properties[str(kind)])
    assert ours - theirs == ONLY_HERE[kind]
    assert theirs - ours == ONLY_THERE[kind]


@pytest.mark.parametrize("kind", [USER, GROUP])
def test_lengths_lists_and_flags(kind: TargetKind) -> None:
    """Limits and flags are the same on both sides."""
    theirs = THERE.properties[str(kind)]
    for name, ours in facts.attributes(kind).items():
        if name not in theirs or name in {"members", "owners", "memberOf"}:
            continue
        there = theirs[name]
        assert (name, ours.max_length, ours.collection) == (name, there.max_length, there.is_list)
        assert (name, ours.sensitive, ours.unique) == (name, there.sensitive, there.unique)
        assert (name, ours.returned_by_default) == (name, there.default)
        assert (name, ours.clearable) == (name, there.clearable and name not in CLEARED_THERE[kind])


@pytest.mark.parametrize("kind", [USER, GROUP])
def test_what_a_new_object_must_have(kind: TargetKind) -> None:
    """Both sides ask for the same on create."""
    assert set(facts.required_on_create(kind)) == set(THERE.create_required[str(kind)])


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("User.Read.All", "user.read"),
        ("GroupMember.Read.All", "group.read"),
        ("Domain.Read.All", "domain.read"),
        ("Organization.Read.All", "organization.read"),
        ("User.ReadWrite.All", "user.write"),
        ("User.DeleteRestore.All", "user.delete"),
        ("Group.ReadWrite.All", "group.write"),
        ("GroupMember.ReadWrite.All", "member.write"),
    ],
)
def test_which_permissions_do(here: str, there: str) -> None:
    """What the engine asks for is what opens the call, and greater permissions are the same ones."""
    (ours,) = [p for p in facts.permissions() if p.name == here]
    assert ours.enough == THERE.permissions[there]


def fill(value: Any) -> Any:
    """Fill the places in an error body of the stand-in."""
    if isinstance(value, dict):
        return {name: fill(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [fill(inner) for inner in value]
    return value.format_map(Places()) if isinstance(value, str) else value


class Places(dict[str, str]):
    """Something for every place."""

    def __missing__(self, name: str) -> str:
        return {"property": "jobTitle", "kind": "User", "other": "the-other-id"}.get(name, "x")


@pytest.mark.parametrize("name", sorted(THERE.graph_errors))
def test_the_engine_knows_every_refusal_of_the_stand_in(name: str) -> None:
    """No refusal that the sandbox can give is a surprise to the engine, and none is shown with a hole."""
    row = THERE.graph_errors[name]
    body = {"error": {part: fill(row[part]) for part in ("code", "message", "details") if part in row}}
    answer = read_answer(int(row["status"]), body, {})
    assert answer.known is not None
    assert "{" not in to_error(answer).message


@pytest.mark.parametrize("name", sorted(THERE.login_errors))
def test_the_engine_knows_every_refusal_of_the_sign_in(name: str) -> None:
    """Nor is any refusal of the login service, but for those that only a broken client could meet."""
    never = {"bad_scope", "grant_type", "missing_parameter"}
    number = str(THERE.login_errors[name]["number"])
    assert (number in facts.sign_in_errors()) is not (name in never), number
