"""The contoso population: one set of people, groups and units for the directory and for the tenant.

Everything is deterministic: the same names, GUIDs, SIDs and values in every run and on every machine.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sandbox.people.cases import GROUP_CASE, InterestingPerson, add_contact_case, hire_cases
from sandbox.people.entry import BASE_DN, DOMAIN, DOMAIN_SID, GROUPS_DN, Entry, EntryMaker, child
from sandbox.people.groups import Group, add_groups
from sandbox.people.odd import hire_odd_names
from sandbox.people.persons import Person, Staff, hire_ordinary, hire_shapes
from sandbox.people.tenant import build_tenant
from sandbox.people.units import (
    BIND_DN,
    BIND_PASSWORD,
    add_contacts_and_computers,
    add_deleted,
    add_domain,
    add_service_accounts,
    add_units,
    bind_passwords,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BASE_DN",
    "BIND_DN",
    "BIND_PASSWORD",
    "DOMAIN",
    "DOMAIN_SID",
    "Entry",
    "InterestingPerson",
    "bind_passwords",
    "directory_entries",
    "interesting_people",
    "tenant_seed",
]


@dataclass(frozen=True, slots=True)
class _Population:
    entries: tuple[Entry, ...]
    people: tuple[Person, ...]
    groups: tuple[Group, ...]
    interesting: tuple[InterestingPerson, ...]


@cache
def _population() -> _Population:
    maker = EntryMaker()
    add_domain(maker)
    add_units(maker)
    staff = Staff(maker)
    hire_ordinary(staff)
    hire_shapes(staff)
    cases = hire_cases(staff)
    add_service_accounts(maker)
    add_contacts_and_computers(maker)
    contact = add_contact_case(maker)
    groups = add_groups(maker, staff.people)
    add_deleted(maker)
    hire_odd_names(staff)
    forty = InterestingPerson(
        "group-40",
        child("CN", GROUP_CASE, GROUPS_DN),
        "created",
        "a new group of 40 people who are all in Entra",
    )
    return _Population(tuple(maker.made), tuple(staff.people), tuple(groups), (*cases, forty, contact))


def directory_entries() -> tuple[Entry, ...]:
    """Return every entry of DC=contoso,DC=test, parents before their children.

    `Entry.attributes` maps attribute names in their schema spelling to the raw values a domain controller
    sends. Back-links (memberOf, directReports, managedObjects) are left to the directory.
    """
    return _population().entries


def tenant_seed() -> dict[str, Any]:
    """Return what the Entra tenant holds at the start, as JSON-ready data; a fresh copy each time.

    Keys: tenant_id, client_id, client_secret, organization, domains, users (Graph v1.0 users, with the
    manager's id as `manager`), groups (with ids as `members`), deletedItems, privileged.
    """
    seed: dict[str, Any] = json.loads(_tenant_as_text())
    return seed


@cache
def _tenant_as_text() -> str:
    population = _population()
    return json.dumps(build_tenant(population.people, population.groups))


def interesting_people() -> tuple[InterestingPerson, ...]:
    """Return the objects whose provisioning ends in a known way on a fresh sandbox."""
    return _population().interesting


def by_dn() -> Mapping[str, Entry]:
    """Return the entries by their DN, for tests and tools."""
    return {entry.dn: entry for entry in _population().entries}
