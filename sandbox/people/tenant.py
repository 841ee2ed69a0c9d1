"""What Entra ID holds of the same people: Graph v1.0 JSON that agrees with the sample configuration.

The mapping is written out here by hand, so that an engine that reads the configuration wrongly shows.
"""

from __future__ import annotations

import base64
import struct
import uuid
from typing import TYPE_CHECKING, Any, Final

from sandbox.people.entry import CORP_DN, DOMAIN, Entry, cloud_id_of
from sandbox.people.groups import Group, InEntra

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.people.persons import Person

TENANT_ID: Final = cloud_id_of("tenant")
CLIENT_ID: Final = cloud_id_of("application")
CLIENT_SECRET: Final = "sandbox-client-secret"
CREATED: Final = "2024-06-04T09:00:00Z"

# Whom the synchronization job can be asked for: one of each way that its own four stages end.
ON_DEMAND: Final = frozenset(
    {"create", "update-three", "katherine", "scope-ou", "scope-filter", "upn-conflict", "manager-missing"}
)

Json = dict[str, Any]

_EMPTY: Final = (
    "onPremisesImmutableId",
    "givenName",
    "surname",
    "jobTitle",
    "department",
    "companyName",
    "officeLocation",
    "streetAddress",
    "city",
    "state",
    "postalCode",
    "country",
    "usageLocation",
    "preferredLanguage",
    "mobilePhone",
    "faxNumber",
    "mail",
    "employeeId",
    "employeeType",
    "onPremisesSyncEnabled",
    "onPremisesLastSyncDateTime",
    "onPremisesDistinguishedName",
    "onPremisesDomainName",
    "onPremisesSamAccountName",
    "onPremisesSecurityIdentifier",
    "onPremisesUserPrincipalName",
)


def build_tenant(people: Sequence[Person], groups: Sequence[Group]) -> Json:
    """Return the whole seed of the tenant."""
    ids = {person.entry.dn: cloud_id_of(person.key) for person in people if person.in_cloud}
    ids |= {
        group.entry.dn: cloud_id_of(group.key) for group in groups if group.in_entra is not InEntra.ABSENT
    }
    users = [_user(person) for person in people if person.in_cloud]
    drift_apart({user["id"]: user for user in users})
    return {
        "tenant_id": TENANT_ID,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        # Fed by a directory synchronisation: new users beside it want the configuration's consent.
        "organization": {
            "displayName": "Contoso, Ltd.",
            "onPremisesSyncEnabled": True,
            "onPremisesLastSyncDateTime": "2024-07-01T06:00:00Z",
        },
        "domains": [
            {
                "id": DOMAIN,
                "isVerified": True,
                "isDefault": True,
                "isInitial": False,
                "authenticationType": "Managed",
            },
            {
                "id": "contoso.onmicrosoft.test",
                "isVerified": True,
                "isDefault": False,
                "isInitial": True,
                "authenticationType": "Managed",
            },
        ],
        "users": users + _cloud_only(),
        "groups": [_group(group, ids) for group in groups if group.in_entra is not InEntra.ABSENT],
        "deletedItems": [],
        "privileged": [cloud_id_of("administrator")],
        "cloud_sync": {
            "domain": DOMAIN,
            "source": [_source(person) for person in people if person.key in ON_DEMAND],
        },
    }


def _source(person: Person) -> Json:
    """Return what the synchronization job finds of a person in the directory."""
    made = {name: value for name, value in _user(person).items() if name not in {"id", "manager"}}
    in_scope = person.entry.text("employeeType") == "Employee" and person.entry.dn.endswith(f",{CORP_DN}")
    return {"dn": person.entry.dn, "in_scope": in_scope, "properties": made}


def anchor(entry: Entry) -> str:
    """Return onPremisesImmutableId: base64 of mS-DS-ConsistencyGuid, else of objectGUID, in AD byte order."""
    values = entry.attributes.get("mS-DS-ConsistencyGuid") or entry.attributes["objectGUID"]
    return base64.b64encode(values[0]).decode()


def _trimmed(entry: Entry, name: str) -> str | None:
    value = entry.text(name)
    return value.strip() if value is not None else None


def _user(person: Person) -> Json:
    entry = person.entry
    phone = _trimmed(entry, "telephoneNumber")
    control = int(entry.text("userAccountControl") or "0")
    extensions: Json = {f"extensionAttribute{index}": None for index in range(1, 16)}
    for index in (1, 2, 3):  # the sample configuration maps these three
        extensions[f"extensionAttribute{index}"] = _trimmed(entry, f"extensionAttribute{index}")
    mail = _trimmed(entry, "mail")
    user = blank_user(cloud_id_of(person.key), str(entry.text("userPrincipalName")))
    user |= {
        "onPremisesImmutableId": anchor(entry),
        "accountEnabled": not control & 2,
        "displayName": entry.text("displayName") or entry.text("cn"),
        "mailNickname": entry.text("mailNickname") or entry.text("sAMAccountName"),
        "givenName": _trimmed(entry, "givenName"),
        "surname": _trimmed(entry, "sn"),
        "jobTitle": _trimmed(entry, "title"),
        "department": _trimmed(entry, "department"),
        "companyName": _trimmed(entry, "company"),
        "officeLocation": _trimmed(entry, "physicalDeliveryOfficeName"),
        "streetAddress": _trimmed(entry, "streetAddress"),
        "city": _trimmed(entry, "l"),
        "state": _trimmed(entry, "st"),
        "postalCode": _trimmed(entry, "postalCode"),
        "country": _trimmed(entry, "co"),
        "usageLocation": entry.text("msExchUsageLocation") or entry.text("c"),
        "preferredLanguage": _trimmed(entry, "preferredLanguage"),
        "mobilePhone": _trimmed(entry, "mobile"),
        "businessPhones": [phone] if phone else [],
        "faxNumber": _trimmed(entry, "facsimileTelephoneNumber"),
        "mail": mail,
        "proxyAddresses": [f"SMTP:{mail}"] if mail else [],
        "employeeId": entry.text("employeeID"),
        "employeeType": entry.text("employeeType"),
        "onPremisesExtensionAttributes": extensions,
    }
    if person.manager is not None:
        user["manager"] = cloud_id_of(person.manager)
    return user


def blank_user(identifier: str, upn: str) -> Json:
    """Return a cloud-only user with every property Graph would list, most of them null."""
    return {
        "id": identifier,
        "userPrincipalName": upn,
        "accountEnabled": True,
        "displayName": upn.partition("@")[0],
        "mailNickname": upn.partition("@")[0],
        "userType": "Member",
        "createdDateTime": CREATED,
        "businessPhones": [],
        "otherMails": [],
        "proxyAddresses": [],
        "onPremisesExtensionAttributes": {f"extensionAttribute{index}": None for index in range(1, 16)},
        **dict.fromkeys(_EMPTY),
    }


def drift_apart(users: dict[str, Json]) -> None:
    """Change the cloud side of the people whose story is a difference."""
    alan = users[cloud_id_of("update-three")]
    alan |= {"jobTitle": "Fellow", "department": None, "officeLocation": "Cambridge/3"}
    users[cloud_id_of("upn-conflict")]["userPrincipalName"] = f"radia.before@{DOMAIN}"
    margaret = users[cloud_id_of("synced")]
    margaret |= {
        "onPremisesSyncEnabled": True,
        "onPremisesLastSyncDateTime": "2024-07-01T06:00:00Z",
        "onPremisesDomainName": DOMAIN,
        "onPremisesUserPrincipalName": margaret["userPrincipalName"],
        "jobTitle": "Lead Developer",
        "city": "Cambridge",
    }


def _cloud_only() -> list[Json]:
    """Return the cloud users that no directory person is anchored to."""
    people = (
        ("ambiguous-1", f"john.smith.sales@{DOMAIN}", "John Smith (Sales)", f"john.smith@{DOMAIN}"),
        ("ambiguous-2", f"john.smith.legal@{DOMAIN}", "John Smith (Legal)", f"john.smith@{DOMAIN}"),
        ("upn-holder", f"radia.perlman@{DOMAIN}", "Radia Perlman-Jones", f"r.perlman-jones@{DOMAIN}"),
        ("administrator", "admin@contoso.onmicrosoft.test", "Tenant Administrator", None),
    )
    users = []
    for key, upn, name, mail in people:
        user = blank_user(cloud_id_of(key), upn)
        user |= {"displayName": name, "mail": mail}
        # Two users may show one mail address; only the first holds it as a proxy address.
        user["proxyAddresses"] = [f"SMTP:{mail}"] if mail and key != "ambiguous-2" else []
        users.append(user)
    return users


def _group(group: Group, ids: dict[str, str]) -> Json:
    entry = group.entry
    kind = int(entry.text("groupType") or "0")
    synced = group.in_entra is InEntra.SYNCED
    mail = entry.text("mail")
    description = entry.text("description")
    guid = uuid.UUID(bytes_le=entry.attributes["objectGUID"][0])
    members = [value.decode() for value in entry.attributes.get("member", ())]
    return {
        "id": cloud_id_of(group.key),
        "displayName": entry.text("displayName") or entry.text("cn"),
        "description": description.strip()[:448] if description else None,
        "mailNickname": entry.text("mailNickname") or entry.text("sAMAccountName"),
        "mail": mail,
        "mailEnabled": mail is not None,
        "securityEnabled": kind < 0,
        "groupTypes": [],
        "proxyAddresses": [f"SMTP:{mail}"] if mail else [],
        "createdDateTime": CREATED,
        "uniqueName": None if synced else f"ad-{guid}",
        "onPremisesSyncEnabled": True if synced else None,
        "onPremisesLastSyncDateTime": "2024-07-01T06:00:00Z" if synced else None,
        "onPremisesSecurityIdentifier": sid_text(entry.attributes["objectSid"][0]) if synced else None,
        "members": [ids[dn] for dn in members if dn in ids],
    }


def sid_text(raw: bytes) -> str:
    """Write a binary SID as `S-1-5-21-…` ([MS-DTYP] section "SID String Format Syntax")."""
    parts = struct.unpack(f"<{raw[1]}I", raw[8:])
    return "-".join(["S", str(raw[0]), str(int.from_bytes(raw[2:8], "big")), *map(str, parts)])
