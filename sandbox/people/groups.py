"""The groups of contoso."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

from sandbox.people.cases import GROUP_CASE
from sandbox.people.entry import (
    COMPUTERS_DN,
    CONTACTS_DN,
    DOMAIN,
    GROUPS_DN,
    NOT_SYNCED_DN,
    SERVICE_DN,
    Entry,
    EntryMaker,
    child,
    fold,
)
from sandbox.people.names import CITIES, DEPARTMENTS
from sandbox.people.units import GROUP

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.people.persons import Person, Values

GLOBAL: Final = 2
DOMAIN_LOCAL: Final = 4
UNIVERSAL: Final = 8
SECURITY: Final = -0x80000000
ODD: Final = ('Odd, "Group" + #1', "Grüppe ß 山", " Space Group ", "#Hash Group", "Back\\slash Group")


class InEntra(Enum):
    """Say how Entra knows a group."""

    ABSENT = "absent"
    CREATED = "created"  # a cloud group that carries uniqueName
    SYNCED = "synced"  # owned by the sync service, carries the SID


@dataclass(frozen=True, slots=True)
class Group:
    """Keep what the tenant needs to know about a directory group."""

    key: str
    entry: Entry
    in_entra: InEntra


@dataclass(slots=True)
class Groups:
    """Collect groups while they are made."""

    maker: EntryMaker
    made: list[Group] = field(default_factory=list)

    def add(
        self,
        name: str,
        members: Iterable[str] = (),
        *,
        account: str | None = None,
        scope: int = UNIVERSAL,
        security: bool = True,
        mail: str | None = None,
        parent: str = GROUPS_DN,
        in_entra: InEntra = InEntra.CREATED,
        **more: str,
    ) -> str:
        """Add one group and return its DN; `members` are DNs, which may come later in the order."""
        values: Values = {
            "sAMAccountName": account or fold(name.replace(" ", "-")),
            "groupType": scope + (SECURITY if security else 0),
            "sAMAccountType": _account_type(scope, security=security),
            "displayName": name.strip(),
            "description": f"Group {name.strip()}",
            "member": list(members),
            **more,
        }
        if mail:
            values |= {
                "mail": mail,
                "proxyAddresses": [f"SMTP:{mail}"],
                "mailNickname": mail.partition("@")[0],
            }
        dn = child("CN", name, parent)
        entry = self.maker.add(dn, GROUP, "Group", values, key=f"group:{name}", principal=True)
        self.made.append(Group(name, entry, in_entra))
        return dn


def _account_type(scope: int, *, security: bool) -> int:
    """Return sAMAccountType as [MS-SAMR] section "ACCOUNT_TYPE Values" numbers groups."""
    base = 0x20000000 if scope == DOMAIN_LOCAL else 0x10000000
    return base if security else base + 1


def add_groups(maker: EntryMaker, people: list[Person]) -> list[Group]:
    """Add every group of contoso; the maker numbers them after the people."""
    groups = Groups(maker)
    ordinary = [person for person in people if person.key.startswith("ordinary-")]
    staff = [person.entry.dn for person in ordinary if person.in_cloud]
    everyone = [person.entry.dn for person in people]
    groups.add(GROUP_CASE, staff[:40], in_entra=InEntra.ABSENT, managedBy=staff[0])
    groups.add("All Staff", everyone, managedBy=staff[0])
    for index, department in enumerate(DEPARTMENTS):
        members = [dn for number, dn in enumerate(staff) if number % len(DEPARTMENTS) == index]
        groups.add(f"Department {department}", members, account=f"department-{index}", scope=GLOBAL)
    for index, city in enumerate(CITIES):
        members = [dn for number, dn in enumerate(staff) if number % len(CITIES) == index]
        groups.add(f"Office {city.name}", members, account=f"office-{index}", managedBy=staff[index])
    _nested(groups, staff)
    _of_every_kind(groups, staff)
    for index, name in enumerate(ODD):
        groups.add(name, staff[index : index + 3], account=f"odd-group-{index}")
    for index in range(12):
        members = [dn for number, dn in enumerate(staff) if number % 12 == index][:12]
        if staff[0] not in members:
            members.append(staff[0])  # one person in very many groups
        groups.add(f"Project {index:02d}", members)
    return groups.made


def _nested(groups: Groups, staff: list[str]) -> None:
    inner = groups.add("Nest 0", staff[:3])
    for index in range(1, 6):
        inner = groups.add(f"Nest {index}", [inner, staff[index * 3]])
    circle = child("CN", "Circle B", GROUPS_DN)
    first = groups.add("Circle A", [staff[1], circle])
    groups.add("Circle B", [first, staff[2]])


def _of_every_kind(groups: Groups, staff: list[str]) -> None:
    contacts = [child("CN", f"Partner, {index}", CONTACTS_DN) for index in range(6)]
    mixed = [
        staff[0],
        contacts[0],
        child("CN", "PC000", COMPUTERS_DN),
        child("CN", "svc-app-00", SERVICE_DN),
        child("CN", "Circle B", GROUPS_DN),
    ]
    groups.add("Empty")
    groups.add("Mixed Members", mixed)
    groups.add("Domain Local", staff[:5], scope=DOMAIN_LOCAL)
    groups.add("Owned By Sync", staff[5:9], in_entra=InEntra.SYNCED)
    groups.add(
        "Newsletter",
        [*staff[:20], *contacts],
        security=False,
        mail=f"newsletter@{DOMAIN}",
        in_entra=InEntra.SYNCED,
    )
    groups.add("Mail Enabled Security", staff[:6], mail=f"mail-security@{DOMAIN}", in_entra=InEntra.SYNCED)
    groups.add("Written Back", staff[:2], in_entra=InEntra.ABSENT, adminDescription="Group_0f9e7d0a")
    groups.add("Not Synced Group", staff[:5], parent=NOT_SYNCED_DN, in_entra=InEntra.ABSENT)
