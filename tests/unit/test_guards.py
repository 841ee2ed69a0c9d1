"""The built-in exclusions, each by name."""

from __future__ import annotations

import pytest

from pipeline.expressions import Value
from pipeline.guards import GUARDS, check_guards
from pipeline.ids import Dn, ObjectGuid
from pipeline.model import ObjectKind, SourceIdentity

USER, GROUP = ObjectKind.USER, ObjectKind.GROUP
DN = "CN=Ada,DC=contoso,DC=test"
ROWS: list[tuple[str, ObjectKind, str, dict[str, Value]]] = [
    ("Critical system object", USER, DN, {"iscriticalsystemobject": "TRUE"}),
    ("Critical system object", GROUP, DN, {"iscriticalsystemobject": "true"}),
    ("Replication conflict", USER, "CN=Ada\\0ACNF:0b7d,DC=contoso,DC=test", {}),
    ("No account name", USER, DN, {"samaccountname": None}),
    ("No account name", GROUP, DN, {"samaccountname": None}),
    ("Synchronisation service account", USER, DN, {"samaccountname": "MSOL_1a2b"}),
    ("Synchronisation service account", USER, DN, {"samaccountname": "aad_1a2b"}),
    ("Synchronisation service account", USER, DN, {"samaccountname": "SUPPORT_388945a0"}),
    ("Exchange system mailbox", USER, DN, {"mailnickname": "SystemMailbox{bb55}"}),
    ("Exchange system mailbox", USER, DN, {"mailnickname": "CAS_{0a}"}),
    ("Exchange system mailbox", USER, DN, {"msexchrecipienttypedetails": "536870912"}),
    ("Written back from the cloud", USER, DN, {"admindescription": "User_8213fd99"}),
    ("Written back from the cloud", GROUP, DN, {"admindescription": "Group_8213fd99"}),
]
HARMLESS: list[dict[str, Value]] = [
    {"iscriticalsystemobject": "FALSE"},
    {"samaccountname": "almost.MSOL_"},
    {"mailnickname": "cassandra"},
    {"msexchrecipienttypedetails": "1"},
    {"admindescription": "a User_ of ours"},
]


def stopped_by(kind: ObjectKind, dn: str, values: dict[str, Value]) -> list[str]:
    """Return the names of the guards that stop an ordinary object with these values."""
    identity = SourceIdentity(Dn(dn), ObjectGuid("0"), None, kind, "Ada")
    return [g.name for g in check_guards(identity, {"samaccountname": "ada", **values}) if not g.passed]


@pytest.mark.parametrize(("name", "kind", "dn", "values"), ROWS)
def test_a_guard_stops_what_it_names(name: str, kind: ObjectKind, dn: str, values: dict[str, Value]) -> None:
    """Exactly the guard of that name stops the object."""
    assert stopped_by(kind, dn, values) == [name]


@pytest.mark.parametrize("values", HARMLESS)
def test_guards_let_ordinary_objects_through(values: dict[str, Value]) -> None:
    """What only resembles an exclusion is none."""
    assert stopped_by(USER, DN, values) == []


def test_every_guard_is_covered_here() -> None:
    """A guard without a row would be a rule that nobody checks."""
    assert {row[0] for row in ROWS} == {guard.name for guard in GUARDS}
