"""Which groups an object is in without being listed by them: by nesting, or by its primary group."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Final

from pipeline.adapters.ldap_connection import Deadline, RawEntry, Session
from pipeline.adapters.ldap_filters import ANYTHING, IN_CHAIN, Equal, Rule
from pipeline.adapters.ldap_reading import complete, search_pages
from pipeline.adapters.ldap_settings import LdapSettings
from pipeline.dn import DistinguishedName, from_directory
from pipeline.errors import DirectoryForbidden, DirectoryReferral, ObjectNotFound
from pipeline.ports import MemberList, Memberships

_OUT_OF_SIGHT: Final = (ObjectNotFound, DirectoryReferral, DirectoryForbidden)


def memberships(
    session: Session, guid: str, groups: Sequence[DistinguishedName], deadline: Deadline
) -> Memberships:
    """Ask the domain controller about each group, from the object upwards.

    Upwards is the cheap way: an object is in some tens of groups, a group may hold a hundred thousand objects
    (Microsoft, page "Search Filter Syntax", which checks one user with a search based on that user).
    Raises ObjectNotFound when there is no object of that objectGUID, and other DirectoryErrors.
    """
    base = f"<GUID={guid}>"
    found = session.search(base, ANYTHING, ("objectSid", "primaryGroupID"), deadline=deadline)
    if not found.entries:
        raise ObjectNotFound
    nested = frozenset(group for group in groups if _is_in(session, base, group, deadline))
    return Memberships(
        nested=nested,
        missing=frozenset(g for g in groups if g not in nested and not _exists(session, g, deadline)),
        primary=_primary_group(session, found.entries[0], deadline),
    )


def primary_members(
    session: Session,
    settings: LdapSettings,
    sid: str,
    attributes: Sequence[str],
    *,
    limit: int,
    deadline: Deadline,
) -> MemberList:
    """Search for those whose primary group has this SID.

    `primaryGroupID` holds the last number of the SID, within the domain (MS-ADTS, attribute primaryGroupID);
    it is indexed (MS-ADA3, attribute primaryGroupID).
    """
    raw, whole = search_pages(
        session,
        settings.base_dn,
        Equal("primaryGroupID", sid.rpartition("-")[2]),
        attributes,
        limit=limit,
        settings=settings,
        deadline=deadline,
    )
    entries = tuple(complete(session, entry, settings, deadline) for entry in raw)
    return MemberList(entries, (), len(entries), whole)


def _is_in(session: Session, base: str, group: DistinguishedName, deadline: Deadline) -> bool:
    try:
        return bool(
            session.search(base, Rule("memberOf", IN_CHAIN, str(group)), (), deadline=deadline).entries
        )
    except _OUT_OF_SIGHT:  # a controller may answer so for a group that it does not hold
        return False


def _exists(session: Session, group: DistinguishedName, deadline: Deadline) -> bool:
    try:
        return bool(session.search(str(group), ANYTHING, (), deadline=deadline).entries)
    except _OUT_OF_SIGHT:
        return False


def _primary_group(session: Session, entry: RawEntry, deadline: Deadline) -> DistinguishedName | None:
    """Find the primary group: its SID is the object's own with the last number replaced.

    MS-ADTS, attribute primaryGroupID: no `member` and no `memberOf` mentions that membership.
    """
    values = {name.lower(): raw[0] for name, raw in entry.attributes.items() if raw}
    sid, number = values.get("objectsid", b""), values.get("primarygroupid", b"")
    if len(sid) < 12 or not number.isdigit():
        return None
    group = sid[:-4] + int(number).to_bytes(4, "little")
    with contextlib.suppress(*_OUT_OF_SIGHT):
        for found in session.search(f"<SID={group.hex()}>", ANYTHING, (), deadline=deadline).entries:
            return from_directory(found.dn)
    return None
