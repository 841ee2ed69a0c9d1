"""The people of contoso: three hundred ordinary ones and the shapes real directories hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sandbox.people.entry import (
    BORN,
    CORP_DN,
    DOMAIN,
    LEAVERS_DN,
    NEVER,
    Entry,
    EntryMaker,
    Plain,
    certificate_like,
    child,
    filetime,
    fold,
    guid_of,
    photo,
)
from sandbox.people.names import CITIES, DEPARTMENTS, FAMILY, GIVEN, TITLES, City

if TYPE_CHECKING:
    from collections.abc import Iterable

ORDINARY: Final = 310
USER: Final = ("top", "person", "organizationalPerson", "user")
INET_ORG_PERSON: Final = (*USER, "inetOrgPerson")

NORMAL: Final = 512
DISABLED: Final = 514
NO_PASSWORD_NEEDED: Final = 544
NEVER_EXPIRES: Final = 66048

Values = dict[str, "Plain | Iterable[Plain]"]


@dataclass(frozen=True, slots=True)
class Person:
    """Keep what the tenant needs to know about a directory person: the entry and whether Entra has them."""

    key: str
    entry: Entry
    in_cloud: bool
    manager: str | None = None  # the manager's key


@dataclass(slots=True)
class Staff:
    """Collect people while they are made."""

    maker: EntryMaker
    people: list[Person] = field(default_factory=list)

    def by_key(self, key: str) -> Person:
        """Return one person by key."""
        return next(person for person in self.people if person.key == key)

    def hire(
        self,
        key: str,
        cn: str,
        parent: str,
        values: Values,
        *,
        in_cloud: bool = True,
        manager: Person | None = None,
        classes: tuple[str, ...] = USER,
    ) -> Person:
        """Add one person; `values` are everything but what the directory itself adds."""
        full: Values = {
            "badPwdCount": 0,
            "badPasswordTime": 0,
            "codePage": 0,
            "countryCode": 0,
            "lastLogoff": 0,
            "lastLogon": 0,
            "logonCount": 0,
            "primaryGroupID": 513,
            "sAMAccountType": 805306368,
            "accountExpires": NEVER,
            "userAccountControl": NORMAL,
            "pwdLastSet": filetime(BORN) + len(self.people) * 10_000_000,
            **values,
        }
        if manager is not None:
            full["manager"] = manager.entry.dn
        entry = self.maker.add(
            child("CN", cn, parent), classes, "Person", full, key=f"person:{key}", principal=True
        )
        person = Person(key, entry, in_cloud, manager.key if manager else None)
        self.people.append(person)
        return person


def department_dn(city: City, department: str) -> str:
    """Return the organizational unit of one department in one city."""
    return child("OU", department, child("OU", city.name, child("OU", city.region, CORP_DN)))


def office(number: int) -> tuple[City, str]:
    """Spread people over cities and departments."""
    return CITIES[number % len(CITIES)], DEPARTMENTS[(number // len(CITIES)) % len(DEPARTMENTS)]


def described(
    number: int,
    given: str,
    family: str,
    *,
    local: str | None = None,
    place: tuple[City, str] | None = None,
) -> Values:
    """Return a full set of values for one person of contoso, varied by number.

    `local` is the part of the addresses before the @, `place` the city and department.
    """
    city, department = place or office(number)
    local = local or f"{fold(given)}.{fold(family)}"
    account = f"{fold(given)[:4]}{fold(family)[:6]}{number:03d}"
    mail = f"{local}@{DOMAIN}"
    values: Values = {
        "sAMAccountName": account,
        "userPrincipalName": mail,
        "mail": mail,
        "proxyAddresses": _addresses(number, local, account, mail),
        "givenName": given,
        "sn": family,
        "displayName": f"{given} {family}",
        "initials": (fold(given)[:1] + fold(family)[:1]).upper(),
        "title": TITLES[number % len(TITLES)],
        "department": department if number % 37 else f" {department} ",  # people do type spaces
        "company": "Contoso, Ltd.",
        "physicalDeliveryOfficeName": f"{city.name}/{number % 40}",
        "streetAddress": f"{number} Harbour Straße\r\nFloor {number % 9}",
        "l": city.name,
        "st": city.region,
        "postalCode": f"{number * 37 % 99999:05d}" if number % 13 else None,
        "c": city.code,
        "co": city.country,
        "countryCode": city.number,
        "telephoneNumber": f"+1 555 010 {number:04d}" if number % 11 else None,
        "mobile": f"+1 555 011 {number:04d}" if number % 6 else None,
        "facsimileTelephoneNumber": f"+1 555 012 {number:04d}" if number % 3 == 0 else None,
        "employeeID": f"{1_000_000 + number}",
        "employeeNumber": number,
        "employeeType": "Employee",
        "preferredLanguage": ("en-GB", "de-DE", "pt-BR", None)[number % 4],
        "description": f"Synthetic person {number}",
        "wWWHomePage": f"https://people.{DOMAIN}/{number}?a=1&b=2",
        "mailNickname": local if number % 5 else None,
        "msExchUsageLocation": "US" if number % 17 == 0 else None,
        "extensionAttribute1": f"cost centre {number % 20}",
        "extensionAttribute2": f"badge-{number}" if number % 2 else None,
        "extensionAttribute3": f"private-{number}" if number % 4 == 0 else None,
    }
    values.update(_rarer(number))
    if number % 3 == 0:
        values["mS-DS-ConsistencyGuid"] = guid_of(f"consistency:{number}").bytes_le
    return values


def _addresses(number: int, local: str, account: str, mail: str) -> list[str]:
    aliases = [f"smtp:alias{index}.{account}@{DOMAIN}" for index in range(number % 4)]
    return [
        f"SMTP:{mail}",
        f"smtp:{account}@mail.{DOMAIN}",
        f"smtp:{local}@contoso.onmicrosoft.test",
        f"X500:/o=Contoso/ou=Exchange/cn=Recipients/cn={account}",
        *aliases,
    ]


def _rarer(number: int) -> Values:
    """Return the attributes that only some people have."""
    values: Values = {
        "info": "line one\r\nline two\ttab" if number % 6 == 0 else None,
        "otherTelephone": [f"+1 555 013 {number:04d}", f"+1 555 014 {number:04d}"]
        if number % 4 == 0
        else None,
        "homePhone": f"+1 555 015 {number:04d}" if number % 7 == 0 else None,
        "carLicense": [f"AB-{number}", f"CD-{number}"] if number % 9 == 0 else None,
        "roomNumber": number % 300 if number % 10 == 0 else None,
        "thumbnailPhoto": photo(500 + number * 13 % 9000) if number % 10 == 0 else None,
        "msDS-cloudExtensionAttribute1": f"cloud-{number}" if number % 8 == 0 else None,
        "msExchRecipientTypeDetails": 2147483648 if number % 2 else None,
        "msExchHideFromAddressLists": number % 26 == 0 if number % 13 == 0 else None,
        "msExchMailboxGuid": guid_of(f"mailbox:{number}").bytes_le if number % 2 else None,
    }
    for index in range(4, 16):
        if (number + index) % 7 == 0:
            values[f"extensionAttribute{index}"] = f"ea{index}-{number}"
    if number % 2:
        values["accountExpires"] = 0
    if number % 50 == 3:
        values["accountExpires"] = filetime(datetime(2020, 6, 30, tzinfo=UTC))
    if number % 50 == 4:
        values["accountExpires"] = filetime(datetime(2099, 12, 31, tzinfo=UTC))
    values.update(_account_kind(number))
    return values


def _account_kind(number: int) -> Values:
    if number % 25 == 5:
        return {"userAccountControl": DISABLED}
    if number % 25 == 6:
        return {"userAccountControl": NEVER_EXPIRES}
    if number % 100 == 7:
        return {"userAccountControl": NO_PASSWORD_NEEDED}
    if number % 100 == 8:
        return {"pwdLastSet": 0}  # must change the password at the next logon
    return {}


def hire_ordinary(staff: Staff) -> None:
    """Add the ordinary people: a tree of managers, one in nine from outside the company."""
    managers: list[Person] = []
    for number in range(1, ORDINARY + 1):
        given, family = GIVEN[number % len(GIVEN)], FAMILY[number % len(FAMILY)]
        values = described(number, given, family)
        outside = number % 9 == 4
        if outside:
            values["employeeType"] = "Intern" if number % 2 else "Contractor"
        cn = f"{family}, {given}" if number % 4 == 0 else f"{given} {family}"
        boss = managers[(len(managers) - 1) // 8] if managers else None
        classes = INET_ORG_PERSON if number % 100 == 50 else USER
        person = staff.hire(
            f"ordinary-{number}",
            cn,
            department_dn(*office(number)),
            values,
            in_cloud=not outside,
            manager=boss,
            classes=classes,
        )
        if not outside:
            managers.append(person)


def hire_shapes(staff: Staff) -> None:
    """Add the extremes that an import must survive."""
    long_text = ("Lorem ipsum dolor – " * 60)[:1024].rstrip()
    place = (CITIES[1], DEPARTMENTS[4])
    parent = department_dn(*place)
    values = described(400, "Long", "Values", place=place)
    values |= {
        "displayName": "Very long display name " + "x" * 230,
        "description": long_text,
        "info": long_text,
        "streetAddress": long_text,
        "otherTelephone": [f"+1 556 {index:07d}" for index in range(1600)],
        "thumbnailPhoto": photo(90_000),
        "userCertificate": [certificate_like(f"certificate {index}") for index in range(4)],
        "proxyAddresses": [f"SMTP:long.values@{DOMAIN}"]
        + [f"smtp:alias{index:04d}.long@{DOMAIN}" for index in range(300)],
    }
    staff.hire("long-values", "Long Values", parent, values)
    bare: Values = {
        "sAMAccountName": "bare.minimum",
        "userPrincipalName": f"bare.minimum@{DOMAIN}",
        "mail": f"bare.minimum@{DOMAIN}",
        "employeeType": "Employee",
    }
    staff.hire("bare-minimum", "Bare Minimum", parent, bare)
    no_mail: Values = {
        "sAMAccountName": "no.mail",
        "userPrincipalName": f"no.mail@{DOMAIN}",
        "employeeType": "Employee",
    }
    staff.hire("no-mail", "No Mail", parent, no_mail, in_cloud=False)
    back = described(401, "Written", "Back", place=place) | {
        "adminDescription": "User_6c1f7a52-5f36-4d36-8d6f-6a1b9c0f1d11"
    }
    staff.hire("written-back", "Written Back", parent, back, in_cloud=False)
    for index, other in enumerate((place, (CITIES[0], DEPARTMENTS[5]))):
        same = described(402 + index, "Same", "Name", local=f"same.name.{index + 1}", place=other)
        staff.hire(f"same-name-{index + 1}", "Same Name", department_dn(*other), same)
    for number in range(410, 416):
        gone = described(number, "Former", f"Colleague{number - 409}") | {"userAccountControl": DISABLED}
        staff.hire(f"leaver-{number}", f"Former Colleague {number - 409}", LEAVERS_DN, gone, in_cloud=False)
