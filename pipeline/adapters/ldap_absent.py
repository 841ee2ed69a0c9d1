"""Why an object was not found: another domain's, deleted, moved or misspelt, as far as that can be seen."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Final

from pipeline import values
from pipeline.adapters import ldap_errors
from pipeline.adapters.ldap_connection import Deadline, RawEntry, Session
from pipeline.adapters.ldap_faults import fault
from pipeline.adapters.ldap_filters import ANYTHING, AllOf, AnyOf, Equal, Filter, StartsWith
from pipeline.adapters.ldap_settings import LdapSettings
from pipeline.dn import DistinguishedName, from_directory, visible
from pipeline.errors import (
    DirectoryError,
    DirectoryForbidden,
    DirectoryLimit,
    DirectoryReferral,
    DirectoryUnexpected,
    ObjectNotFound,
)
from pipeline.identifiers import Identifier, IdentifierKind

_DEEPEST: Final = 16
_LISTED: Final = 3
_HINT_SECONDS: Final = 2
"""How long the controller may look for a hint: the answer is no already."""

_KEPT_OF_RDN: Final = 75
"""A deleted object's name begins with this many characters of its old one (MS-ADTS 3.1.1.5.5.1.1)."""

_DELETED: Final = ("name", "lastKnownParent", "whenChanged", "isRecycled")


def condition(identifier: Identifier) -> Filter:
    """Return the filter that finds an object by its account name or any of its addresses."""
    if identifier.kind is IdentifierKind.ACCOUNT:
        return Equal("sAMAccountName", identifier.text)
    if ":" in identifier.text:
        return Equal("proxyAddresses", identifier.text)
    return AnyOf(
        (
            Equal("userPrincipalName", identifier.text),
            Equal("mail", identifier.text),
            Equal("proxyAddresses", f"smtp:{identifier.text}"),
        )
    )


def told(identifier: Identifier) -> str:
    """Name an identifier in a sentence."""
    kinds = {
        IdentifierKind.DN: "the name",
        IdentifierKind.GUID: "the objectGUID",
        IdentifierKind.SID: "the SID",
        IdentifierKind.ADDRESS: "the address",
        IdentifierKind.ACCOUNT: "the account name",
    }
    return f"{kinds[identifier.kind]} {visible(identifier.text)}"


class Absence:
    """Finds out why one identifier led to nothing."""

    def __init__(
        self, session: Session, settings: LdapSettings, base: DistinguishedName, deadline: Deadline
    ) -> None:
        self._session = session
        self._settings = settings
        self._base = base
        self._deadline = deadline

    def explain(self, identifier: Identifier, answer: ObjectNotFound | None) -> DirectoryError:
        """Return the error that says most. `answer` is what the controller said to a name or an id."""
        if identifier.kind is IdentifierKind.DN and answer is not None:
            return self._absent(from_directory(identifier.text), answer)
        deleted = self._deleted(_by_value(identifier), told(identifier))
        if deleted is not None:
            return deleted
        names = ""
        if identifier.kind is IdentifierKind.ACCOUNT and identifier.domain is None:
            called = identifier.text
            names = self._called(AnyOf((Equal("name", called), Equal("displayName", called))))
        row = "called_so" if names else "not_found"
        return fault(row, answer.ids if answer else None, called=told(identifier), names=names)

    def _absent(self, name: DistinguishedName, answer: ObjectNotFound) -> DirectoryError:
        """Say how much of a name exists: the nearest container, or that it is another domain's."""
        foreign = name.domain and self._base.domain and name.domain != self._base.domain
        if foreign and not name.is_under(self._base):
            return fault("other_domain", domain=name.domain, own=self._base.domain)
        if ldap_errors.is_bad_name(answer):
            return answer
        deleted = self._deleted(_by_name(name), f"the name “{name.rdn_value}”", name.parent)
        if deleted is not None:
            return deleted
        nearest = answer.ids.get(ldap_errors.MATCHED_DN) or self._nearest(name)
        names = self._called(Equal("name", name.rdns[0][0].value))
        row = "moved" if nearest and names else "not_found_there" if nearest else "path_not_found"
        return fault(row, answer.ids, name=name.rdn_value, nearest=nearest, names=names)

    def _nearest(self, name: DistinguishedName) -> str:
        """Look for the nearest container that exists, where the controller does not tell."""
        for above in name.ancestors[:_DEEPEST]:
            with contextlib.suppress(ObjectNotFound):
                if self._session.search(str(above), ANYTHING, (), deadline=self._deadline).entries:
                    return str(above)
        return ""

    def _called(self, so: Filter) -> str:
        """Name the people and groups, of any place, that are called so; empty when there are none."""
        called = AllOf(
            (
                so,
                AnyOf((Equal("objectCategory", "person"), Equal("objectCategory", "group"))),
            )
        )
        found = self._hint(self._settings.base_dn, called, (), limit=_LISTED)
        return "; ".join(sorted(str(from_directory(entry.dn)) for entry in found))

    def _deleted(
        self, wanted: Filter, called: str, parent: DistinguishedName | None = None
    ) -> DirectoryError | None:
        """Look among the deleted objects. None where there is none, or none that the account may see."""
        domain = self._session.about("defaultNamingContext") or self._settings.base_dn
        found = self._hint(
            domain, AllOf((Equal("isDeleted", "TRUE"), wanted)), _DELETED, limit=20, deleted=True
        )
        here = [one for one in map(_Tombstone, found) if parent is None or one.parent in {None, parent}]
        if not here:
            return None
        last = max(here, key=lambda one: one.changed)
        several = f"; {len(here)} such objects were deleted, this one last" if len(here) > 1 else ""
        row = "deleted" if last.restorable else "deleted_for_good"
        return fault(row, called=called, when=last.when, where=last.where + several)

    def _hint(
        self, base: str, wanted: Filter, attributes: Sequence[str], *, limit: int, deleted: bool = False
    ) -> tuple[RawEntry, ...]:
        """Search for what would be good to know; what the controller refuses to tell is not told."""
        try:
            return self._session.search(
                base,
                wanted,
                attributes,
                deadline=self._deadline,
                scope="SUBTREE",
                size_limit=limit,
                time_limit_s=_HINT_SECONDS,
                deleted=deleted,
            ).entries
        except (ObjectNotFound, DirectoryForbidden, DirectoryReferral, DirectoryLimit):
            return ()
        except DirectoryUnexpected as error:
            if not ldap_errors.is_answer(error):
                raise
            return ()


class _Tombstone:
    """What is left of a deleted object, in words."""

    def __init__(self, raw: RawEntry) -> None:
        found = {name.lower(): texts for name, texts in _texts(raw)}
        self.changed = found.get("whenchanged", "")
        self.restorable = found.get("isrecycled", "").upper() != "TRUE"
        last = found.get("lastknownparent", "")
        self.parent = from_directory(last) if last else None

    @property
    def when(self) -> str:
        """The day: of the deletion itself, or of a later step of it, which is the last change there was."""
        day = self.changed.partition("T")[0]
        return f" {'on' if self.restorable else 'by'} {day}" if day else ""

    @property
    def where(self) -> str:
        """The container that it was in."""
        return f"; it was in {self.parent}" if self.parent is not None else ""


def _texts(raw: RawEntry) -> Iterator[tuple[str, str]]:
    for name, found in raw.attributes.items():
        if found:
            yield name, values.texts(name, found)[0]


def _by_value(identifier: Identifier) -> Filter:
    if identifier.kind is IdentifierKind.GUID:
        return Equal("objectGUID", values.guid_bytes(identifier.text))
    if identifier.kind is IdentifierKind.SID:
        return Equal("objectSid", values.sid_bytes(identifier.text))
    if identifier.kind is IdentifierKind.DN:
        return _by_name(from_directory(identifier.text))
    return condition(identifier)


def _by_name(name: DistinguishedName) -> Filter:
    r"""Match the name that deleting gives: the old one, a line feed, `DEL:` and the GUID."""
    value = name.rdns[0][0].value
    cut = len(value) > _KEPT_OF_RDN
    return StartsWith("name", value[:_KEPT_OF_RDN] if cut else f"{value}\nDEL:")
