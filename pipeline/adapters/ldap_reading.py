"""What is read of an object: attributes by name, long ones slice by slice, and never more than a limit.

A controller gives at most MaxValRange values of an attribute (1,500 by default) and names the slice in the
attribute's option: `member;range=0-1499`, the last one `…-*` (MS-ADTS 3.1.1.3.1.3.3, range retrieval).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from pipeline import dn
from pipeline.adapters.ldap_connection import Deadline, RawEntry, Session
from pipeline.adapters.ldap_faults import fault
from pipeline.adapters.ldap_filters import ANYTHING, Filter, is_attribute_name
from pipeline.adapters.ldap_settings import LdapSettings
from pipeline.errors import ConfigurationInvalid
from pipeline.ports import DirectoryEntry

_RANGE: Final = re.compile(r"range=(\d+)-(\d+|\*)", re.IGNORECASE)
_MAX_SLICES: Final = 1_000


@dataclass(slots=True)
class _Slice:
    """Values of one attribute, and from where the rest is to be asked for; None when there is no rest."""

    name: str
    values: tuple[bytes, ...]
    following: int | None


@dataclass(slots=True)
class LongAttribute:
    """All or the first values of an attribute. `total` is None when counting was given up."""

    values: list[bytes] = field(default_factory=list)
    total: int | None = 0

    @property
    def complete(self) -> bool:
        """Whether no value is missing."""
        return self.total == len(self.values)


def checked(attributes: Sequence[str]) -> list[str]:
    """Return the names to ask for, each once. Raises ConfigurationInvalid for what names no attribute."""
    names = {name.lower(): name for name in attributes}
    for name in names.values():
        if not is_attribute_name(name):
            raise ConfigurationInvalid(f"“{name}” is not the name of an attribute.")
    return list(names.values())


def complete(session: Session, raw: RawEntry, settings: LdapSettings, deadline: Deadline) -> DirectoryEntry:
    """Fetch what is missing of an entry's long attributes, up to the limits, and make it a model's entry."""
    attributes: dict[str, tuple[bytes, ...]] = {}
    incomplete: set[str] = set()
    totals: dict[str, int] = {}
    for key, values in raw.attributes.items():
        part = _slice(key, values)
        if not part.values:
            continue
        whole = _rest(
            session, raw.dn, part, keep=settings.value_limit, count=settings.member_limit, deadline=deadline
        )
        attributes[part.name] = tuple(whole.values)
        if not whole.complete:
            incomplete.add(part.name)
            if whole.total is not None:
                totals[part.name] = whole.total
    return DirectoryEntry(
        dn=str(dn.from_directory(raw.dn)),
        attributes=attributes,
        controller=session.name,
        read_at=datetime.now(UTC),
        incomplete=frozenset(incomplete),
        totals=totals,
    )


def read_long(
    session: Session, base: str, name: str, settings: LdapSettings, deadline: Deadline
) -> LongAttribute:
    """Read one attribute of one object in slices from the start, whether the controller insists or not.

    Raises ObjectNotFound and other DirectoryErrors.
    """
    limit = settings.member_limit
    return _rest(session, base, _Slice(name, (), 0), keep=limit, count=limit, deadline=deadline)


def _rest(
    session: Session, base: str, part: _Slice, *, keep: int, count: int, deadline: Deadline
) -> LongAttribute:
    """Go on from one slice to the last, keeping the first values and counting all."""
    whole = LongAttribute(list(part.values[:keep]), len(part.values))
    for _ in range(_MAX_SLICES):
        if part.following is None:
            return whole
        if (whole.total or 0) >= count:
            break
        part = _next(session, base, part, deadline)
        whole.values.extend(part.values[: max(0, keep - len(whole.values))])
        whole.total = (whole.total or 0) + len(part.values)
    whole.total = None
    return whole


_STEP: Final = 1_500


def _next(session: Session, base: str, part: _Slice, deadline: Deadline) -> _Slice:
    start = part.following or 0
    asked = f"{part.name};range={start}-{start + _STEP - 1}"
    found = session.search(base, ANYTHING, [asked], deadline=deadline)
    for entry in found.entries:
        for key, values in entry.attributes.items():
            following = _slice(key, values)
            if following.name.lower() == part.name.lower() and values:
                return following
    return _Slice(part.name, (), None)


def _slice(key: str, values: tuple[bytes, ...]) -> _Slice:
    name, *options = key.split(";")
    ranged = next((found for option in options if (found := _RANGE.fullmatch(option))), None)
    if ranged is None or ranged[2] == "*" or not values:
        return _Slice(name, values, None)
    return _Slice(name, values, int(ranged[1]) + len(values))


def search_pages(
    session: Session,
    base: str,
    condition: Filter,
    attributes: Sequence[str],
    *,
    limit: int,
    settings: LdapSettings,
    deadline: Deadline,
) -> tuple[list[RawEntry], bool]:
    """Search the subtree page by page. Return at most `limit` entries, and whether those are all."""
    entries: list[RawEntry] = []
    cookie = b""
    while True:
        found = session.search(
            base,
            condition,
            attributes,
            deadline=deadline,
            scope="SUBTREE",
            page_size=max(1, min(settings.page_size, limit + 1)),
            cookie=cookie,
        )
        entries.extend(found.entries)
        cookie = found.cookie
        if len(entries) > limit or not cookie:
            break
    if found.cut and not entries:
        raise fault("size_limit", controller=session.controller)
    return entries[:limit], len(entries) <= limit and not cookie and not found.cut
