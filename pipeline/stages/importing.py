"""Import: read the object from Active Directory, as it is, with everything the rules and the reader need."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pipeline import guards, values
from pipeline.configuration import Configuration
from pipeline.configuration.privacy import Privacy
from pipeline.dn import DistinguishedName
from pipeline.dn import from_directory as dn_from_directory
from pipeline.dn import parse as parse_dn
from pipeline.errors import (
    ConfigurationOutside,
    DirectoryReferral,
    IdentifierMalformed,
    NotPermitted,
    ObjectAmbiguous,
    ObjectDeleted,
    ObjectKindUnknown,
    ObjectNotFound,
)
from pipeline.expressions import Value
from pipeline.identifiers import Identifier, IdentifierKind, parse_identifier
from pipeline.ids import Dn, ObjectGuid, Sid
from pipeline.model import ImportedAttribute, ImportEvidence, ObjectKind, Request, SourceIdentity
from pipeline.ports import DirectoryEntry, Memberships
from pipeline.services import Services

IDENTITY: Final = ("objectGUID", "objectSid", "objectClass", "cn", "displayName", "whenChanged", "uSNChanged")
COMMON: Final = (
    "accountExpires", "adminCount", "altSecurityIdentities", "assistant", "badPwdCount", "c",
    "canonicalName", "co", "comment", "company", "countryCode", "department", "departmentNumber",
    "description", "distinguishedName", "division", "employeeID", "employeeNumber", "employeeType",
    "facsimileTelephoneNumber", "givenName", "groupType", "homeMDB", "homePhone", "info",
    "initials", "ipPhone", "l", "lastLogonTimestamp", "legacyExchangeDN", "lockoutTime", "mail",
    "managedBy", "manager", "member", "memberOf", "middleName", "mobile", "mS-DS-ConsistencyGuid",
    "msDS-ExternalDirectoryObjectId", "msDS-User-Account-Control-Computed",
    "msExchHideFromAddressLists", "msExchMailboxGuid", "msExchRecipientDisplayType",
    "msExchRemoteRecipientType", "msExchUsageLocation", "name", "otherMailbox", "otherTelephone",
    "pager", "physicalDeliveryOfficeName", "postalCode", "postOfficeBox", "preferredLanguage",
    "primaryGroupID", "proxyAddresses", "pwdLastSet", "sAMAccountType", "servicePrincipalName",
    "showInAddressBook", "sIDHistory", "sn", "st", "streetAddress", "targetAddress",
    "telephoneNumber", "thumbnailPhoto", "title", "url", "userAccountControl", "userCertificate",
    "userPrincipalName", "whenCreated", "wWWHomePage",
    *(f"extensionAttribute{n}" for n in range(1, 16)),
    *(f"msDS-cloudExtensionAttribute{n}" for n in range(1, 21)),
)  # fmt: skip
"""What an admin wants to see, mapped or not. AD silently leaves out attributes that its schema lacks."""


_SECURITY_ENABLED: Final = -0x80000000
"""The bit of groupType that makes a security group (MS-ADTS, "Group Type Flags")."""


NOT_ASKED: Final = Memberships()


@dataclass(frozen=True, slots=True)
class Source:
    """The imported object: who it is, its values by case-folded name, and the rules that fit it."""

    identity: SourceIdentity
    dn: DistinguishedName
    values: Mapping[str, Value]
    entry: DirectoryEntry
    configuration: Configuration
    memberships: Memberships = NOT_ASKED
    """What it has to do with the scope's groups that do not list it, where that was asked."""


async def import_object(request: Request, services: Services) -> Source:
    """Find and read the object. Raises DirectoryError, RequestError, ConfigurationError or NotPermitted."""
    identifier = await _identifier(request, services)
    dn = parse_dn(identifier.text) if identifier.kind is IdentifierKind.DN else None
    if dn is None and len(services.configurations.all) > 1 and request.configuration is None:
        dn = await _locate(identifier, services)
    configuration = services.configurations.select(request.configuration, dn)
    _require_permission(request, configuration)
    entry = await _read(identifier, configuration, services)
    dn = dn_from_directory(entry.dn)
    fitting = services.configurations.select(request.configuration, dn)
    if fitting.name != configuration.name:  # what was typed did not tell the place, or told a wrong one
        configuration = fitting
        _require_permission(request, configuration)
        entry = await _read(identifier, configuration, services)
    if request.configuration is not None and not dn.is_under(configuration.base):
        raise ConfigurationOutside(
            f"Configuration “{configuration.name}” is for objects below {configuration.base}.",
            remedy="Leave the name out: the configuration that covers the object is found by its place.",
        )
    identity, found = _identity(entry, dn), typed_values(entry)
    memberships = await _memberships(identity, found, configuration, services)
    return Source(identity, dn, found, entry, configuration, memberships)


async def _identifier(request: Request, services: Services) -> Identifier:
    """Return what names the object: for a plan that was previewed, the very object of the preview."""
    previewed = await services.store.load(request.follows) if request.follows else None
    if previewed is not None and previewed.object is not None:
        return Identifier(IdentifierKind.GUID, previewed.object.guid)
    return parse_identifier(request.identifier)


async def _locate(identifier: Identifier, services: Services) -> DistinguishedName:
    """Find out where an object is that was not named by its place, by asking all directories at once.

    Raises ObjectAmbiguous when several know one of that name: which is meant is never guessed.
    """
    asked = {each.directory: services.directory(each) for each in services.configurations.all}
    answers = await asyncio.gather(
        *(directory.resolve(identifier, ("objectGUID",)) for directory in asked.values()),
        return_exceptions=True,
    )
    hits = {each.get("objectGUID"): each for each in answers if isinstance(each, DirectoryEntry)}
    missing = [each for each in answers if isinstance(each, _ABSENT)]
    failed = [each for each in answers if isinstance(each, BaseException) and each not in missing]
    if len(hits) > 1:
        names = "; ".join(str(dn_from_directory(entry.dn)) for entry in hits.values())
        raise ObjectAmbiguous(f"{len(hits)} objects in different domains answer to that: {names}.")
    if failed and not (hits and identifier.kind in _UNIQUE):
        raise failed[0]  # a directory that does not answer may know another object of that name
    if hits:
        return dn_from_directory(next(iter(hits.values())).dn)
    raise next((each for each in missing if isinstance(each, ObjectDeleted)), missing[0])


_ABSENT: Final = (ObjectNotFound, DirectoryReferral)
_UNIQUE: Final = frozenset({IdentifierKind.GUID, IdentifierKind.SID})


def _require_permission(request: Request, configuration: Configuration) -> None:
    if request.permitted is not None and configuration.name not in request.permitted:
        if request.override_scope:
            raise NotPermitted(f"You may not override the scope of the configuration “{configuration.name}”.")
        raise NotPermitted(f"You may not {request.mode} with the configuration “{configuration.name}”.")


async def _memberships(
    identity: SourceIdentity, found: Mapping[str, Value], configuration: Configuration, services: Services
) -> Memberships:
    """Ask about the scope's groups that do not list the object, where the answer decides or explains."""
    rules = configuration.rules(identity.kind)
    if rules is None or not rules.scope.groups:
        return NOT_ASKED
    groups, held = rules.scope.groups, direct_groups(found)
    others = [group for group in groups if group not in held]
    nested = any(group in rules.scope.nested_groups for group in others)
    if not others or (len(others) < len(groups) and not nested):
        return NOT_ASKED
    return await services.directory(configuration).within(identity.guid, others)


def direct_groups(found: Mapping[str, Value]) -> frozenset[DistinguishedName]:
    """Return the groups that list the object as a member, of its imported values."""
    member_of = found.get("memberof")
    names = member_of if isinstance(member_of, list) else []
    return frozenset(dn for text in names if isinstance(text, str) for dn in _group_names(text))


def _group_names(text: str) -> tuple[DistinguishedName, ...]:
    try:
        return (dn_from_directory(text),)
    except IdentifierMalformed:
        return ()


def typed_values(entry: DirectoryEntry) -> dict[str, Value]:
    """Return an entry's values as expressions read them, by case-folded name."""
    found = {name.casefold(): values.typed(name, raw) for name, raw in entry.attributes.items() if raw}
    found.setdefault("distinguishedname", entry.dn)
    return found


def import_evidence(source: Source) -> ImportEvidence:
    """Return what the import stage saw, without the values of private attributes."""
    entry, privacy = source.entry, source.configuration.privacy
    names = sorted((name for name, raw in entry.attributes.items() if raw), key=str.casefold)
    return ImportEvidence(
        controller=entry.controller,
        read_at=entry.read_at,
        object_class=values.texts("objectClass", entry.get("objectClass")),
        when_changed=_first(values.texts("whenChanged", entry.get("whenChanged"))),
        usn_changed=_first(values.texts("uSNChanged", entry.get("uSNChanged"))),
        attributes=tuple(_imported(name, entry, privacy) for name in names),
        hidden=_hidden(source.configuration.reads, privacy),
        notes=tuple(
            f"{name}: the first {len(entry.get(name)):,} of "
            f"{f'{entry.totals[name]:,}' if name in entry.totals else 'more'} values"
            for name in sorted(entry.incomplete)
        ),
    )


def _imported(name: str, entry: DirectoryEntry, privacy: Privacy) -> ImportedAttribute:
    raw = entry.get(name)
    total = entry.totals.get(name, len(raw))
    if not privacy.may_show(name):
        return ImportedAttribute(name, values.syntax(name), (), total=total, private=True)
    return ImportedAttribute(
        name, values.syntax(name), values.texts(name, raw), values.words(name, raw), total
    )


def _first(texts: Sequence[str]) -> str | None:
    return texts[0] if texts else None


async def _read(identifier: Identifier, configuration: Configuration, services: Services) -> DirectoryEntry:
    return await services.directory(configuration).resolve(identifier, _wanted(configuration))


def _wanted(configuration: Configuration) -> tuple[str, ...]:
    return _asked(configuration.reads, configuration.privacy)


@lru_cache(maxsize=64)
def _asked(reads: frozenset[str], privacy: Privacy) -> tuple[str, ...]:
    """Return what is asked of the directory: the same for every object of a configuration."""
    names = {name.casefold(): name for name in (*COMMON, *guards.READS, *IDENTITY, *sorted(reads))}
    return tuple(name for name in names.values() if privacy.may_read(name))


@lru_cache(maxsize=64)
def _hidden(reads: frozenset[str], privacy: Privacy) -> int:
    """Count what would be asked and is not."""
    return len({*COMMON, *reads}.difference(_asked(reads, privacy)))


def _identity(entry: DirectoryEntry, dn: DistinguishedName) -> SourceIdentity:
    classes = values.texts("objectClass", entry.get("objectClass"))
    name = _first(values.texts("displayName", entry.get("displayName"))) or dn.rdn_value
    sid = _first(values.texts("objectSid", entry.get("objectSid")))
    return SourceIdentity(
        dn=Dn(str(dn)),
        guid=ObjectGuid(_first(values.texts("objectGUID", entry.get("objectGUID"))) or ""),
        sid=Sid(sid) if sid else None,
        kind=kind_of(classes),
        name=name,
    )


def is_mail_enabled(source: Mapping[str, Value]) -> bool:
    """Tell whether a group has a mail address, or is a distribution list, by Entra Connect's own rule.

    Source: Microsoft Entra Connect, default configuration, the rule that computes mailEnabled for groups.
    """
    proxies = source.get("proxyaddresses")
    addresses = [p for p in proxies if isinstance(p, str)] if isinstance(proxies, list) else []
    primary = any(address.startswith("SMTP:") and "@" in address for address in addresses)
    group_type = source.get("grouptype")
    distribution = isinstance(group_type, int) and not group_type & _SECURITY_ENABLED
    return primary or "@" in str(source.get("mail") or "") or distribution


def kind_of(classes: Sequence[str]) -> ObjectKind:
    """Tell the kind of object from its classes. Raises ObjectKindUnknown naming the class."""
    found = {name.casefold() for name in classes}
    if "computer" in found:  # computers, and group managed service accounts, are users by class too
        raise ObjectKindUnknown(f"Its class is {classes[-1]}, and objects of that class are not handled.")
    for kind in (ObjectKind.INET_ORG_PERSON, ObjectKind.USER, ObjectKind.GROUP, ObjectKind.CONTACT):
        if kind.casefold() in found:
            return kind
    if not classes:
        raise ObjectKindUnknown("It has no class, and such objects are not handled.")
    raise ObjectKindUnknown(f"Its class is {classes[-1]}, and objects of that class are not handled.")
