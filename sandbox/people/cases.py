"""The people with a story: one for each way a provisioning run can end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sandbox.people.entry import DOMAIN, NOT_SYNCED_DN, child
from sandbox.people.names import CITIES, DEPARTMENTS
from sandbox.people.persons import Staff, department_dn, described
from sandbox.people.units import CONTACT

if TYPE_CHECKING:
    from sandbox.people.entry import EntryMaker
    from sandbox.people.persons import Values

LONDON: Final = (CITIES[0], DEPARTMENTS[0])
ENGINEERING: Final = department_dn(*LONDON)
RESEARCH: Final = (CITIES[2], DEPARTMENTS[4])
GROUP_CASE: Final = "Apollo Guidance"


@dataclass(frozen=True, slots=True)
class InterestingPerson:
    """Name a case, the DN to type, the outcome a provision has on a fresh sandbox, and why."""

    case: str
    identifier: str
    expected: str
    story: str


# slug, common name: each needs care in a DN, in a filter, in Slack or in all three
AWKWARD: Final = (
    ("comma", "Doe, Jane, Dr."),
    ("plus", "Plus + Sign"),
    ("quote", 'Quote "Quinn" Quill'),
    ("backslash", "\\Back\\slash Bob"),
    ("hash", "#Hash First"),
    ("leading-space", " Leading Space"),
    ("trailing-space", "Trailing Space "),
    ("inner-spaces", "Two  Inner  Spaces"),
    ("semicolon", "Semi;Colon"),
    ("angle", "Less <Than> More"),
    ("equals", "CN=Nested,OU=Fake"),
    ("slash", "Slash/Name"),
    ("filter", "Star*(Paren)&|!"),
    ("slack", "<!channel> *bold* _it_ `code`"),
    ("html", "&lt;already&gt; &amp; <b>bold</b>"),
    ("rtl", "عبد الله שלום"),
    ("cjk", "山田 太郎"),
    ("emoji", "Emoji 🚀 Rocket"),
    ("combining", "Cafe\u0301 Combining"),
    ("joiner", "Wo\u200dman 👩\u200d🔬"),
)


# case, outcome, whether Entra has the person, story
_PLAIN: Final = (
    ("create", "created", False, "new: nobody in Entra has her anchor, UPN or mail"),
    ("update-three", "updated", True, "jobTitle, department and officeLocation differ"),
    ("ambiguous", "refused", False, "two cloud users share his mail address"),
    ("upn-conflict", "failed", True, "found by anchor; her new user principal name belongs to someone else"),
    ("synced", "refused", True, "owned by the sync service, and drifted"),
)


def hire_cases(staff: Staff) -> tuple[InterestingPerson, ...]:
    """Add the people with a story and return them; the group and the contact come from elsewhere."""
    katherine = staff.hire(
        "katherine", "Katherine Johnson", ENGINEERING, _londoner(321, "Katherine", "Johnson")
    )
    values = {
        "create": _londoner(322, "Ada", "Lovelace") | {"title": "Analyst"},
        "update-three": _londoner(323, "Alan", "Turing")
        | {"title": " Reader", "department": "Computing", "physicalDeliveryOfficeName": "London/17"},
        "ambiguous": _londoner(326, "John", "Smith"),
        "upn-conflict": _londoner(327, "Radia", "Perlman"),
        "synced": _londoner(328, "Margaret", "Hamilton"),
    }
    found = []
    for case, expected, in_cloud, story in _PLAIN:
        cn = str(values[case]["displayName"])
        person = staff.hire(case, cn, ENGINEERING, values[case], in_cloud=in_cloud, manager=katherine)
        found.append(InterestingPerson(case, person.entry.dn, expected, story))
    return (
        *found,
        InterestingPerson("unchanged", katherine.entry.dn, "unchanged", "Entra agrees with the directory"),
        _scope_ou(staff),
        _scope_filter(staff),
        _manager_missing(staff),
        *_awkward(staff),
    )


def _londoner(number: int, given: str, family: str) -> Values:
    return described(number, given, family, place=LONDON)


def _scope_ou(staff: Staff) -> InterestingPerson:
    values = _londoner(324, "Edsger", "Dijkstra")
    person = staff.hire("scope-ou", "Edsger Dijkstra", NOT_SYNCED_DN, values, in_cloud=False)
    return InterestingPerson(
        "scope-ou", person.entry.dn, "skipped", "lives outside the organizational units in scope"
    )


def _scope_filter(staff: Staff) -> InterestingPerson:
    values = _londoner(325, "Grace", "Hopper") | {"employeeType": "Contractor"}
    person = staff.hire("scope-filter", "Grace Hopper", ENGINEERING, values, in_cloud=False)
    return InterestingPerson("scope-filter", person.entry.dn, "skipped", "employeeType is Contractor")


def _manager_missing(staff: Staff) -> InterestingPerson:
    values = _londoner(329, "Charles", "Babbage")
    babbage = staff.hire("manager-of-missing", "Charles Babbage", ENGINEERING, values, in_cloud=False)
    values = _londoner(330, "Barbara", "Liskov")
    person = staff.hire(
        "manager-missing", "Barbara Liskov", ENGINEERING, values, in_cloud=False, manager=babbage
    )
    return InterestingPerson("manager-missing", person.entry.dn, "created", "her manager is not in Entra yet")


def _awkward(staff: Staff) -> tuple[InterestingPerson, ...]:
    boss = staff.by_key("katherine")
    found = []
    for index, (slug, cn) in enumerate(AWKWARD):
        values = described(340 + index, "Awkward", slug, local=f"awkward.{slug}", place=RESEARCH) | {
            "displayName": cn.strip()
        }
        person = staff.hire(
            f"awkward-{slug}", cn, department_dn(*RESEARCH), values, in_cloud=False, manager=boss
        )
        found.append(InterestingPerson(f"awkward-{slug}", person.entry.dn, "created", f"the name {cn!r}"))
    return tuple(found)


def add_contact_case(maker: EntryMaker) -> InterestingPerson:
    """Add the contact that sits among the people in scope."""
    mail = f"hedy.lamarr@{DOMAIN}"
    values: Values = {
        "displayName": "Hedy Lamarr",
        "givenName": "Hedy",
        "sn": "Lamarr",
        "mail": mail,
        "proxyAddresses": [f"SMTP:{mail}"],
        "targetAddress": f"SMTP:{mail}",
        "department": "Engineering",
        "company": "Contoso, Ltd.",
    }
    entry = maker.add(child("CN", "Hedy Lamarr", ENGINEERING), CONTACT, "Person", values, key="contact:hedy")
    return InterestingPerson("contact", entry.dn, "refused", "a contact: Microsoft Graph cannot create those")
