"""What the directory knows of its attributes: spelling, syntax, who computes them.

Sources: [MS-ADA1] to [MS-ADA3] (attributes), [MS-ADSC] (classes).
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from sandbox.directory.dn import TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.people import Entry


class Syntax(Enum):
    """Tell how the values of an attribute compare."""

    TEXT = "text"  # without regard to case
    INTEGER = "integer"
    BOOLEAN = "boolean"
    NAME = "name"  # a distinguished name
    OCTETS = "octets"
    GUID = "guid"
    SID = "sid"
    TIME = "time"
    CLASS = "class"  # an object class, by name


_NAMED: Final[dict[Syntax, str]] = {
    Syntax.INTEGER: (
        "instanceType uSNCreated uSNChanged badPwdCount badPasswordTime codePage countryCode "
        "lastLogoff lastLogon logonCount primaryGroupID sAMAccountType accountExpires "
        "userAccountControl pwdLastSet lockoutTime groupType lockoutDuration lockoutThreshold "
        "maxPwdAge msDS-Behavior-Version localPolicyFlags msExchRecipientTypeDetails "
        "msExchRecipientDisplayType adminCount lastLogonTimestamp systemFlags msDS- "
        "SupportedEncryptionTypes"
    ),
    Syntax.BOOLEAN: (
        "isCriticalSystemObject showInAdvancedViewOnly msExchHideFromAddressLists isDeleted isRecycled"
    ),
    Syntax.NAME: (
        "distinguishedName objectCategory manager member memberOf managedBy directReports "
        "managedObjects lastKnownParent"
    ),
    Syntax.OCTETS: "thumbnailPhoto userCertificate msExchMailboxGuid jpegPhoto userSMIMECertificate",
    Syntax.GUID: "objectGUID mS-DS-ConsistencyGuid",
    Syntax.SID: "objectSid sIDHistory",
    Syntax.TIME: "whenCreated whenChanged",
    Syntax.CLASS: "objectClass",
}

# Text attributes that entries need not have: asking for one is no surprise to the server.
_TEXT: Final = (
    "adminDescription adminDisplayName assistant comment division generationQualifier homeDirectory ipPhone "
    "legacyExchangeDN msDS-preferredDataLocation msDS-ExternalDirectoryObjectId middleName o otherHomePhone "
    "otherMobile pager personalTitle postOfficeBox proxyAddresses secretary servicePrincipalName street "
    "targetAddress telexNumber thumbnailLogo uid url userWorkstations"
)

# Computed on the way out: only when asked by name, never matched by a filter.
CONSTRUCTED: Final = (
    "allowedAttributesEffective",
    "canonicalName",
    "createTimeStamp",
    "modifyTimeStamp",
    "msDS-User-Account-Control-Computed",
    "msDS-PrincipalName",
    "parentGUID",
    "primaryGroupToken",
    "structuralObjectClass",
    "subSchemaSubEntry",
    "tokenGroups",
)

# Link attribute to the back-link that the directory keeps.
BACK_LINKS: Final = {"member": "memberOf", "manager": "directReports", "managedBy": "managedObjects"}

# lDAPDisplayName of a class to the class named by its defaultObjectCategory.
CATEGORIES: Final = {
    "user": "Person",
    "person": "Person",
    "organizationalperson": "Person",
    "inetorgperson": "Person",
    "contact": "Person",
    "group": "Group",
    "computer": "Computer",
    "container": "Container",
    "organizationalunit": "Organizational-Unit",
    "domaindns": "Domain-DNS",
    "builtindomain": "Builtin-Domain",
}

# Object identifier of a class to its name, for filters such as (objectClass=2.5.6.6).
CLASSES: Final = {
    "2.5.6.0": "top",
    "2.5.6.5": "organizationalUnit",
    "2.5.6.6": "person",
    "2.5.6.7": "organizationalPerson",
    "1.2.840.113556.1.5.8": "group",
    "1.2.840.113556.1.5.9": "user",
    "1.2.840.113556.1.5.15": "contact",
    "1.2.840.113556.1.3.30": "computer",
    "2.16.840.1.113730.3.2.2": "inetOrgPerson",
}

# Ambiguous name resolution tries these ([MS-ADTS] section "Ambiguous Name Resolution").
ANR: Final = (
    "displayName",
    "givenName",
    "sn",
    "name",
    "physicalDeliveryOfficeName",
    "proxyAddresses",
    "sAMAccountName",
    "legacyExchangeDN",
    "mail",
    "mailNickname",
)

# Object identifier of an attribute to its name: those that name entries, and some that people search by.
OIDS: Final = TYPES | {
    "2.5.4.4": "sn",
    "2.5.4.42": "givenName",
    "0.9.2342.19200300.100.1.3": "mail",
    "1.2.840.113556.1.2.102": "memberOf",
    "1.2.840.113556.1.4.221": "sAMAccountName",
    "1.2.840.113556.1.4.656": "userPrincipalName",
}


class Schema:
    """Know the attributes: those named here and whatever else the entries carry, as text."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._known: dict[str, tuple[str, Syntax]] = {}
        for syntax, names in _NAMED.items():
            for name in names.split():
                self._known[name.lower()] = (name, syntax)
        for name in _TEXT.split():
            self._known.setdefault(name.lower(), (name, Syntax.TEXT))
        for index in range(1, 16):
            name = f"extensionAttribute{index}"
            self._known[name.lower()] = (name, Syntax.TEXT)
        for entry in entries:
            for name in entry.attributes:
                self._known.setdefault(name.lower(), (name, Syntax.TEXT))
        self._constructed = {name.lower(): name for name in CONSTRUCTED}

    def spelling(self, name: str) -> str | None:
        """Return the schema's spelling of an attribute, or None when the schema lacks it."""
        name = OIDS.get(name, name)
        known = self._known.get(name.lower())
        return known[0] if known else self._constructed.get(name.lower())

    def syntax(self, name: str) -> Syntax | None:
        """Return the syntax of a stored attribute, or None when there is no such attribute."""
        known = self._known.get(OIDS.get(name, name).lower())
        return known[1] if known else None

    def stored(self) -> tuple[str, ...]:
        """Return the attributes that are kept, in the schema's spelling."""
        return tuple(name for name, _ in self._known.values())

    def is_constructed(self, name: str) -> bool:
        """Say whether an attribute is computed on the way out."""
        return name.lower() in self._constructed
