"""Everything of the directory that is neither a person nor a group of contoso's own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sandbox.people.entry import (
    BASE_DN,
    BORN,
    COMPUTERS_DN,
    CONTACTS_DN,
    CORP_DN,
    DOMAIN,
    DOMAIN_SID,
    GROUPS_DN,
    LEAVERS_DN,
    NEVER,
    NOT_SYNCED_DN,
    SERVICE_DN,
    TOP_DN,
    EntryMaker,
    child,
    filetime,
    guid_of,
)
from sandbox.people.names import CITIES, DEPARTMENTS
from sandbox.people.persons import DISABLED, NEVER_EXPIRES, NORMAL, USER, department_dn

if TYPE_CHECKING:
    from sandbox.people.persons import Values

BIND_DN: Final = child("CN", "svc-fourcheck", SERVICE_DN)
BIND_PASSWORD: Final = "Sandbox-only-7d1e!"
UNIT: Final = ("top", "organizationalUnit")
CONTACT: Final = ("top", "person", "organizationalPerson", "contact")
COMPUTER: Final = (*USER, "computer")
GROUP: Final = ("top", "group")
DOMAIN_LOCAL_BUILT_IN: Final = -2147483643
GLOBAL_SECURITY: Final = -2147483646

# Accounts whose logon fails in each of the ways a directory tells apart.
TROUBLED: Final = ("svc-disabled", "svc-expired", "svc-must-change", "svc-locked")


def bind_passwords() -> dict[str, str]:
    """Return the password of each account that can try to log on: DN to password."""
    accounts = {child("CN", name, SERVICE_DN): f"Sandbox-only-{name}-1!" for name in TROUBLED}
    return {BIND_DN: BIND_PASSWORD, **accounts}


def add_domain(maker: EntryMaker) -> None:
    """Add the domain itself and the built-in objects that the guards of a product must spare."""
    head: Values = {
        "objectSid": None,
        "dc": "contoso",
        "isCriticalSystemObject": True,
        "lockoutDuration": -0x8000000000000000,
        "lockoutThreshold": 0,
        "maxPwdAge": -0x8000000000000000,
        "msDS-Behavior-Version": 7,
    }
    maker.add(BASE_DN, ("top", "domain", "domainDNS"), "Domain-DNS", head, sid=DOMAIN_SID)
    for name, note in (
        ("Users", "Default container for upgraded user accounts"),
        ("Computers", "Default container for upgraded computer accounts"),
    ):
        values: Values = {
            "description": note,
            "isCriticalSystemObject": True,
            "showInAdvancedViewOnly": False,
        }
        maker.add(child("CN", name, BASE_DN), ("top", "container"), "Container", values)
    builtin = child("CN", "Builtin", BASE_DN)
    values = {"isCriticalSystemObject": True, "showInAdvancedViewOnly": False}
    maker.add(builtin, ("top", "builtinDomain"), "Builtin-Domain", values, sid="S-1-5-32")
    users = child("CN", "Users", BASE_DN)
    _built_in_users(maker, users)
    _built_in_groups(maker, users, builtin)
    controllers = child("OU", "Domain Controllers", BASE_DN)
    values = {"isCriticalSystemObject": True, "description": "Default container for domain controllers"}
    maker.add(controllers, UNIT, "Organizational-Unit", values)


def _built_in_users(maker: EntryMaker, users: str) -> None:
    for name, rid, control in (
        ("Administrator", 500, NORMAL),
        ("Guest", 501, 66082),
        ("krbtgt", 502, DISABLED),
    ):
        values: Values = {
            "sAMAccountName": name,
            "userAccountControl": control,
            "isCriticalSystemObject": True,
            "accountExpires": NEVER,
            "primaryGroupID": 514 if rid == 501 else 513,
            "sAMAccountType": 805306368,
            "pwdLastSet": filetime(BORN),
        }
        maker.add(child("CN", name, users), USER, "Person", values, sid=f"{DOMAIN_SID}-{rid}")


def _built_in_groups(maker: EntryMaker, users: str, builtin: str) -> None:
    administrator = child("CN", "Administrator", users)
    for name, rid, members in (
        ("Domain Admins", 512, [administrator]),
        ("Domain Users", 513, []),
        ("Domain Guests", 514, []),
        ("Domain Computers", 515, []),
    ):
        values: Values = {
            "sAMAccountName": name,
            "groupType": GLOBAL_SECURITY,
            "sAMAccountType": 268435456,
            "isCriticalSystemObject": True,
            "member": members,
        }
        maker.add(child("CN", name, users), GROUP, "Group", values, sid=f"{DOMAIN_SID}-{rid}")
    values = {
        "sAMAccountName": "Administrators",
        "groupType": DOMAIN_LOCAL_BUILT_IN,
        "sAMAccountType": 536870912,
        "isCriticalSystemObject": True,
        "member": [administrator, child("CN", "Domain Admins", users)],
    }
    maker.add(child("CN", "Administrators", builtin), GROUP, "Group", values, sid="S-1-5-32-544")
    values = values | {"sAMAccountName": "Users", "member": [child("CN", "Domain Users", users)]}
    maker.add(child("CN", "Users", builtin), GROUP, "Group", values, sid="S-1-5-32-545")


def add_units(maker: EntryMaker) -> None:
    """Add the organizational units: Corp is nested by region, city and department."""
    maker.add(TOP_DN, UNIT, "Organizational-Unit", {"description": "Everything that is contoso's own"})
    for dn in (CORP_DN, GROUPS_DN, NOT_SYNCED_DN, SERVICE_DN, CONTACTS_DN, LEAVERS_DN, COMPUTERS_DN):
        maker.add(dn, UNIT, "Organizational-Unit", {})
    for region in dict.fromkeys(city.region for city in CITIES):
        maker.add(child("OU", region, CORP_DN), UNIT, "Organizational-Unit", {})
    for city in CITIES:
        parent = child("OU", city.name, child("OU", city.region, CORP_DN))
        maker.add(parent, UNIT, "Organizational-Unit", {"c": city.code, "co": city.country})
        for department in DEPARTMENTS:
            maker.add(department_dn(city, department), UNIT, "Organizational-Unit", {})


def add_service_accounts(maker: EntryMaker) -> None:
    """Add the bot's own account, the accounts that cannot log on, and some of other services."""
    special: dict[str, Values] = {
        "svc-fourcheck": {
            "description": "Reads the directory for provisioning",
            "userAccountControl": NEVER_EXPIRES,
        },
        "svc-disabled": {"userAccountControl": DISABLED},
        "svc-expired": {"accountExpires": filetime(datetime(2020, 6, 30, tzinfo=UTC))},
        "svc-must-change": {"pwdLastSet": 0},
        "svc-locked": {"lockoutTime": filetime(BORN)},
    }
    others: dict[str, Values] = {
        f"svc-app-{index:02d}": {
            "userAccountControl": NEVER_EXPIRES,
            "servicePrincipalName": [f"HTTP/app{index:02d}.{DOMAIN}", f"HTTP/app{index:02d}"],
        }
        for index in range(8)
    }
    for name, values in (special | others).items():
        full: Values = {
            "sAMAccountName": name,
            "userAccountControl": NORMAL,
            "accountExpires": NEVER,
            "primaryGroupID": 513,
            "sAMAccountType": 805306368,
            "pwdLastSet": filetime(BORN),
            "badPwdCount": 0,
            "badPasswordTime": 0,
            "codePage": 0,
            "countryCode": 0,
            "lastLogoff": 0,
            "lastLogon": 0,
            "logonCount": 0,
            **values,
        }
        maker.add(child("CN", name, SERVICE_DN), USER, "Person", full, key=f"service:{name}", principal=True)


def add_deleted(maker: EntryMaker) -> None:
    """Add two people who were deleted: tombstones, which only some may see.

    [MS-ADTS] section "Tombstone Lifetime and Deleted-Object Lifetime" says what is left of an object.
    """
    container = child("CN", "Deleted Objects", BASE_DN)
    values: Values = {"isDeleted": True, "isCriticalSystemObject": True, "showInAdvancedViewOnly": True}
    maker.add(container, ("top", "container"), "Container", values)
    for number, name in ((450, "Deleted, Person"), (451, "Deleted Colleague")):
        key = f"deleted:{number}"
        values = {
            "isDeleted": True,
            "isRecycled": True,
            "lastKnownParent": department_dn(CITIES[0], DEPARTMENTS[1]),
            "sAMAccountName": f"deleted{number}",
            "userAccountControl": NORMAL,
        }
        dn = child("CN", f"{name}\nDEL:{guid_of(key)}", container)
        maker.add(dn, USER, None, values, key=key, principal=True)


def add_contacts_and_computers(maker: EntryMaker) -> None:
    """Add partners as contacts, and some computers."""
    for index in range(12):
        mail = f"partner{index:02d}@fabrikam.test"
        contact: Values = {
            "displayName": f"Partner {index} (Fabrikam)",
            "givenName": "Partner",
            "sn": f"No. {index}",
            "mail": mail,
            "proxyAddresses": [f"SMTP:{mail}"],
            "targetAddress": f"SMTP:{mail}",
            "company": "Fabrikam",
        }
        maker.add(child("CN", f"Partner, {index}", CONTACTS_DN), CONTACT, "Person", contact)
    for index in range(10):
        name = f"PC{index:03d}"
        computer: Values = {
            "sAMAccountName": f"{name}$",
            "userAccountControl": 4096,
            "accountExpires": NEVER,
            "primaryGroupID": 515,
            "sAMAccountType": 805306369,
            "dNSHostName": f"{name.lower()}.{DOMAIN}",
            "operatingSystem": "Windows 11 Enterprise",
            "isCriticalSystemObject": False,
            "localPolicyFlags": 0,
            "pwdLastSet": 0,
            "badPwdCount": 0,
            "badPasswordTime": 0,
            "codePage": 0,
            "countryCode": 0,
            "lastLogoff": 0,
            "lastLogon": 0,
            "logonCount": 0,
        }
        maker.add(child("CN", name, COMPUTERS_DN), COMPUTER, "Computer", computer, principal=True)
