"""Active Directory over LDAP: the port `Directory` on real domain controllers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final

from pipeline import dn, values
from pipeline.adapters import ldap_errors
from pipeline.adapters.ldap_absent import Absence, condition, told
from pipeline.adapters.ldap_connection import Deadline, RawEntry, Session, look_up
from pipeline.adapters.ldap_faults import fault
from pipeline.adapters.ldap_filters import ANYTHING, AllOf, Equal, Filter
from pipeline.adapters.ldap_membership import memberships, primary_members
from pipeline.adapters.ldap_people import LOOKED_AT, SHOWN, in_order, people_filter
from pipeline.adapters.ldap_pool import LdapPool, LookUp
from pipeline.adapters.ldap_reading import checked, complete, read_long, search_pages
from pipeline.adapters.ldap_settings import LdapSettings
from pipeline.dn import DistinguishedName, fold, from_directory
from pipeline.errors import (
    ConfigurationInvalid,
    DirectoryError,
    DirectoryForbidden,
    DirectoryReferral,
    ObjectNotFound,
    RequestError,
)
from pipeline.identifiers import Identifier, IdentifierKind
from pipeline.ports import DirectoryEntry, MemberList, Memberships

__all__ = ["LdapDirectory", "LdapSettings"]

_LISTED: Final = 10
"""How many of several hits are named."""
_DEEPEST: Final = 16


class LdapDirectory:
    """One domain, read only, by its domain controllers. Fulfils the port `Directory`."""

    def __init__(self, settings: LdapSettings, look_up: LookUp = look_up) -> None:
        """Keep the settings; nothing is opened yet. Raises ConfigurationInvalid for what is wrong.

        `look_up` gives the addresses of a controller's name.
        """
        self._settings = settings
        self._pool = LdapPool(settings, look_up)
        self._base = _base(settings)
        self._netbios: str | None = None
        self._searches = asyncio.Semaphore(max(1, settings.connections // 2))

    async def warm_up(self) -> None:
        """Open the connections, so that the first call need not. Raises DirectoryError."""
        await self._pool.warm_up()

    async def ping(self) -> None:
        """Read a controller's root DSE, on one connection. Raises DirectoryError."""
        await self._pool.run(
            lambda session, deadline: session.search("", ANYTHING, ("dnsHostName",), deadline=deadline)
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()

    async def resolve(self, identifier: Identifier, attributes: Sequence[str]) -> DirectoryEntry:
        """Read the one object that the identifier names, with these attributes, named one by one.

        The entry's `dn` is what the directory says, whatever was typed. Raises ObjectNotFound naming the
        nearest container that exists, ObjectAmbiguous naming those that answer, or another DirectoryError.
        """
        wanted = checked(attributes)
        return await self._pool.run(
            lambda session, deadline: self._resolve(session, identifier, wanted, deadline)
        )

    async def members(self, dn: str, attributes: Sequence[str], limit: int) -> MemberList:
        """Read a group's direct members with these attributes, at most `limit` of them.

        The group's own list decides who is a member; those of it that cannot be read are `unresolved`.
        """
        wanted = checked(attributes)
        group = from_directory(dn)
        return await self._pool.run(
            lambda session, deadline: self._members(session, group, wanted, limit, deadline)
        )

    async def primary_members(self, sid: str, attributes: Sequence[str], limit: int) -> MemberList:
        """Read those whose primary group has this SID, at most `limit` of them; no list names them."""
        wanted = checked(attributes)
        return await self._pool.run(
            lambda session, deadline: primary_members(
                session, self._settings, sid, wanted, limit=limit, deadline=deadline
            )
        )

    async def search(self, text: str, *, limit: int) -> tuple[DirectoryEntry, ...]:
        """Find people, groups and contacts by the first letters of what they are called, the likeliest first.

        Nothing is found for an empty text or a single letter. Takes `search_timeout_s` at most; searches
        leave half of the connections to other calls. Raises DirectoryError.
        """
        condition = people_filter(text)
        if condition is None or limit < 1:
            return ()
        limit_s = self._settings.search_timeout_s
        try:
            async with asyncio.timeout(limit_s), self._searches:
                found = await self._pool.run(
                    lambda session, deadline: self._search(session, condition, deadline),
                    within_s=limit_s,
                )
        except TimeoutError:
            raise ldap_errors.timed_out(None) from None
        return in_order(found, text)[:limit]

    async def within(self, guid: str, groups: Sequence[DistinguishedName]) -> Memberships:
        """Tell which of these groups hold the object at any depth, by the rule that follows links.

        Raises ObjectNotFound when there is no object of that objectGUID.
        """
        return await self._pool.run(lambda session, deadline: memberships(session, guid, groups, deadline))

    def _search(self, session: Session, condition: Filter, deadline: Deadline) -> tuple[DirectoryEntry, ...]:
        found = session.search(
            self._settings.base_dn,
            condition,
            SHOWN,
            deadline=deadline,
            scope="SUBTREE",
            size_limit=LOOKED_AT,
            time_limit_s=self._settings.search_timeout_s / 2,  # then it gives what it has: somebody waits
            partial=True,
        )
        return tuple(complete(session, raw, self._settings, deadline) for raw in found.entries)

    def _resolve(
        self, session: Session, identifier: Identifier, attributes: Sequence[str], deadline: Deadline
    ) -> DirectoryEntry:
        if identifier.kind in {IdentifierKind.ADDRESS, IdentifierKind.ACCOUNT}:
            self._check_domain(session, identifier, deadline)
            found = session.search(
                self._settings.base_dn,
                condition(identifier),
                attributes,
                deadline=deadline,
                scope="SUBTREE",
                size_limit=_LISTED + 1,
            )
            hits, answer = found.entries, None
        else:
            hits, answer = _at(session, identifier, attributes, deadline)
        if not hits:
            raise Absence(session, self._settings, self._base, deadline).explain(identifier, answer)
        if len(hits) > 1:
            raise _ambiguous(identifier, hits)
        return complete(session, hits[0], self._settings, deadline)

    def _check_domain(self, session: Session, identifier: Identifier, deadline: Deadline) -> None:
        r"""Refuse `OTHER\name`: the same account name here would be somebody else."""
        if identifier.domain is None:
            return
        if self._netbios is None:
            self._netbios = _netbios_name(session, self._base, deadline)
        if fold(identifier.domain) not in {fold(self._netbios), fold(self._base.domain)}:
            raise fault(
                "other_domain_account",
                domain=dn.visible(identifier.domain),
                own=self._base.domain,
                short=self._netbios,
            )

    def _members(
        self,
        session: Session,
        group: DistinguishedName,
        attributes: Sequence[str],
        limit: int,
        deadline: Deadline,
    ) -> MemberList:
        listed = read_long(session, str(group), "member", self._settings, deadline)
        names = [text for raw in listed.values if (text := raw.decode("utf-8", "replace"))]
        if not names:
            return MemberList((), (), listed.total or 0, listed.complete)
        raw_entries, all_found = search_pages(
            session,
            self._settings.base_dn,
            Equal("memberOf", str(group)),
            attributes,
            limit=limit,
            settings=self._settings,
            deadline=deadline,
        )
        entries = tuple(complete(session, raw, self._settings, deadline) for raw in raw_entries)
        found = {from_directory(entry.dn) for entry in entries}
        unresolved = tuple(name for name in names if from_directory(name) not in found) if all_found else ()
        total = listed.total if listed.total is not None else len(names)
        whole = listed.complete and all_found
        return MemberList(entries, unresolved, total, whole)


def _at(
    session: Session, identifier: Identifier, attributes: Sequence[str], deadline: Deadline
) -> tuple[tuple[RawEntry, ...], ObjectNotFound | None]:
    """Read the object at the base that the identifier is, or return what the controller said instead."""
    try:
        return session.search(_search_base(identifier), ANYTHING, attributes, deadline=deadline).entries, None
    except ObjectNotFound as error:
        return (), error


def _netbios_name(session: Session, base: DistinguishedName, deadline: Deadline) -> str:
    """Read the domain's short name from the list of partitions; else take the DNS name's first label."""
    configuration = session.about("configurationNamingContext")
    condition = AllOf((Equal("objectClass", "crossRef"), Equal("nCName", str(base))))
    with contextlib.suppress(ObjectNotFound, DirectoryReferral, DirectoryForbidden):
        found = session.search(
            f"CN=Partitions,{configuration}", condition, ("nETBIOSName",), deadline=deadline, scope="LEVEL"
        )
        for entry in found.entries:
            for raw in entry.attributes.values():
                return raw[0].decode("utf-8", "replace")
    return base.domain.partition(".")[0].upper()


def _base(settings: LdapSettings) -> DistinguishedName:
    try:
        return dn.parse(settings.base_dn)
    except RequestError as error:
        raise ConfigurationInvalid(
            f"The base DN “{dn.visible(settings.base_dn)}” is not a distinguished name.",
            remedy=settings.own_names("Correct FOURCHECK_DIRECTORY__BASE_DN."),
        ) from error


def _search_base(identifier: Identifier) -> str:
    if identifier.kind is IdentifierKind.GUID:
        return f"<GUID={identifier.text}>"
    if identifier.kind is IdentifierKind.SID:
        return f"<SID={values.sid_bytes(identifier.text).hex()}>"
    return identifier.text


def _ambiguous(identifier: Identifier, hits: Sequence[RawEntry]) -> DirectoryError:
    names = "; ".join(str(from_directory(hit.dn)) for hit in hits[:_LISTED])
    count = f"More than {_LISTED}" if len(hits) > _LISTED else str(len(hits))
    return fault("ambiguous", count=count, called=told(identifier), names=names)
