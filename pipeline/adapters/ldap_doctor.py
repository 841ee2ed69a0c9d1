"""Look at a directory the way an administrator would: name, trust, account, base, rights, clock.

Reads only. Each domain controller is looked at by itself, so that a dead second one is found before the
first one dies.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from pipeline import values
from pipeline.adapters.ldap_connection import Deadline, RawEntry, Session
from pipeline.adapters.ldap_filters import ANYTHING, AllOf, Equal, Not
from pipeline.adapters.ldap_pool import LdapPool
from pipeline.adapters.ldap_settings import Controller, LdapSettings, Protection
from pipeline.errors import (
    DirectoryBindRefused,
    DirectoryError,
    DirectoryUntrusted,
    ObjectNotFound,
)
from pipeline.findings import Finding, Findings, listed
from pipeline.ports import Clock

SAMPLE: Final = 50
"""How many users, and how many groups, are looked at to see which attributes the account can read."""

_TIMEOUT_S: Final = 10.0

_POWERFUL: Final = {
    512: "Domain Admins",
    516: "Domain Controllers",
    518: "Schema Admins",
    519: "Enterprise Admins",
    520: "Group Policy Creator Owners",
    526: "Key Admins",
    527: "Enterprise Key Admins",
}
"""Groups of a domain that may far more than read, by the last part of their SID ("Well-known SIDs")."""

_BUILTIN: Final = {
    "S-1-5-32-544": "Administrators",
    "S-1-5-32-548": "Account Operators",
    "S-1-5-32-549": "Server Operators",
    "S-1-5-32-550": "Print Operators",
    "S-1-5-32-551": "Backup Operators",
}


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one sitting at a domain controller brought."""

    controller: str
    protection: Protection
    ahead_s: float | None
    base: bool
    sample: int
    present: frozenset[str]
    """Attributes that at least one object of the sample had, case-folded."""
    writable: frozenset[str] | None
    """Attributes of a sample object that the account could write; None where that could not be seen."""
    groups: frozenset[str]
    """The powerful groups that the account is in."""
    account: bool


async def examine_directory(
    name: str, settings: LdapSettings, reads: Collection[str], clock: Clock
) -> list[Finding]:
    """Look at each domain controller of a directory. `reads` are the attributes that configurations read."""
    found: list[Finding] = []
    for url, controller in zip(settings.urls, settings.controllers(), strict=True):
        one = replace(settings, urls=(url,), connections=1, operation_timeout_s=_TIMEOUT_S)
        found += await _examine_controller(Findings(f"directory {name}"), one, controller, reads, clock)
    return found


async def _examine_controller(
    findings: Findings, settings: LdapSettings, controller: Controller, reads: Collection[str], clock: Clock
) -> list[Finding]:
    addresses = await _addresses(controller.host)
    if not addresses:
        says = f"The name {controller.host} does not resolve."
        remedy = "Correct the address, or the machine's DNS."
        return [replace(findings.missing("name", says, remedy), unreachable=True)]
    found = [findings.good("name", f"{controller.host} is {listed(addresses, 3)}.")]
    pool = LdapPool(settings)
    try:
        seen = await pool.run(
            lambda session, deadline: _look(session, deadline, settings, reads, clock.now())
        )
    except DirectoryError as error:
        return found + _until(findings, controller, error)
    finally:
        await pool.close()
    return found + _judged(findings, settings, seen, reads)


def _until(findings: Findings, controller: Controller, error: DirectoryError) -> list[Finding]:
    """Say which step failed, and that those before it went well."""
    if isinstance(error, DirectoryUntrusted):
        return [findings.failed("trust", error)]
    if isinstance(error, DirectoryBindRefused):
        return [_trusted(findings, str(controller), controller.protection), findings.failed("account", error)]
    return [findings.failed("answer", error)]


def _trusted(findings: Findings, where: str, protection: Protection) -> Finding:
    if protection is Protection.NONE:
        says = (
            f"The connection to {where} is not encrypted: password and attributes go over it in plain text."
        )
        return findings.warning(
            "trust", says, "Use ldaps://, or ldap:// without ALLOW_PLAINTEXT for StartTLS."
        )
    kind = "LDAPS" if protection is Protection.LDAPS else "StartTLS"
    return findings.good("trust", f"The certificate of {where} is trusted and names it ({kind}).")


def _judged(findings: Findings, settings: LdapSettings, seen: _Seen, reads: Collection[str]) -> list[Finding]:
    found = [
        _trusted(findings, seen.controller, seen.protection),
        findings.good("account", f"{seen.controller} took the account and its password."),
    ]
    if not seen.base:
        says = f"The base {settings.base_dn} is not there, or the account may not see it."
        return [*found, findings.missing("base", says, "Correct the setting BASE_DN of this directory.")]
    found.append(findings.good("base", f"The base {settings.base_dn} is there."))
    found += [
        _readable(findings, seen, reads),
        _excess_groups(findings, seen),
        _excess_writes(findings, seen),
    ]
    if seen.ahead_s is not None:
        found.append(findings.clock(seen.controller, seen.ahead_s))
    return found


def _readable(findings: Findings, seen: _Seen, reads: Collection[str]) -> Finding:
    if not seen.sample:
        remedy = "Give the account the right to read users and groups below the base."
        return findings.missing("read", "The account sees no user and no group below the base.", remedy)
    absent = [name for name in reads if name.casefold() not in seen.present]
    if not absent:
        says = f"All {len(reads)} attributes that the configurations read were seen on {seen.sample} objects."
        return findings.good("read", says)
    says = (
        f"{len(absent)} of the {len(reads)} attributes that the configurations read were on none of "
        f"{seen.sample} objects: {listed(absent)}. Either nobody has them, or the account may not read them."
    )
    return findings.unknown(
        "read", says, "Look at one object that has them with `fourcheck preview`, and compare."
    )


def _excess_groups(findings: Findings, seen: _Seen) -> Finding:
    if not seen.account:
        return findings.unknown("excess", "The groups of the account itself could not be read.")
    if seen.groups:
        says = f"The account is in {listed(seen.groups)}: it needs to read, nothing more."
        return findings.warning("excess", says, "Use an account of its own that is in Domain Users alone.")
    return findings.good("excess", "The account is in none of the powerful groups.")


def _excess_writes(findings: Findings, seen: _Seen) -> Finding:
    if seen.writable is None:
        says = "What the account may write could not be seen: there was no user to look at."
        return findings.unknown("writes", says)
    if seen.writable:
        says = f"The account may write {len(seen.writable)} attributes of a user: {listed(seen.writable, 5)}."
        return findings.warning("writes", says, "Take the right to write away: Fourcheck only reads there.")
    return findings.good("writes", "The account may write nothing on the user that was looked at.")


def _look(
    session: Session, deadline: Deadline, settings: LdapSettings, reads: Collection[str], now: datetime
) -> _Seen:
    people = _sample(session, deadline, settings, "user", reads)
    objects = people + _sample(session, deadline, settings, "group", reads)
    account = _account(session, deadline, settings)
    return _Seen(
        controller=session.name or str(session.controller),
        protection=session.controller.protection,
        ahead_s=_ahead(session, deadline, now),
        base=_exists(session, deadline, settings.base_dn),
        sample=len(objects),
        present=frozenset(
            n.partition(";")[0].casefold() for e in objects for n, v in e.attributes.items() if v
        ),
        writable=_writable(session, deadline, people, account),
        groups=_powerful(account),
        account=account is not None,
    )


def _exists(session: Session, deadline: Deadline, base: str) -> bool:
    try:
        return bool(session.search(base, ANYTHING, (), deadline=deadline).entries)
    except ObjectNotFound:
        return False


def _sample(
    session: Session, deadline: Deadline, settings: LdapSettings, kind: str, reads: Collection[str]
) -> tuple[RawEntry, ...]:
    condition = AllOf((Equal("objectClass", kind), Not(Equal("objectClass", "computer"))))
    try:
        return session.search(
            settings.base_dn,
            condition,
            tuple(sorted({"objectClass", *reads})),
            deadline=deadline,
            scope="SUBTREE",
            size_limit=SAMPLE,
        ).entries
    except ObjectNotFound:
        return ()


def _account(session: Session, deadline: Deadline, settings: LdapSettings) -> RawEntry | None:
    r"""Find the account's own object: it is named by DN, by userPrincipalName or as DOMAIN\name."""
    name = settings.bind_dn
    wanted = ("tokenGroups", "objectSid")
    if "=" in name:
        base = name
    else:
        found = _signed_in(session, deadline, settings, name)
        if found is None:
            return None
        base = found
    try:
        entries = session.search(base, ANYTHING, wanted, deadline=deadline).entries
    except DirectoryError:
        return None
    return entries[0] if entries else None


def _signed_in(session: Session, deadline: Deadline, settings: LdapSettings, name: str) -> str | None:
    """Find who signs in by a name, in the whole domain: the account need not lie below the base.

    Every account also has the implicit userPrincipalName of its account name ("User Naming Attributes").
    """
    domain = session.about("defaultNamingContext") or settings.base_dn
    account = name.partition("@")[0].rpartition("\\")[2]
    ways = [Equal("userPrincipalName", name)] if "@" in name else []
    for way in (*ways, Equal("sAMAccountName", account)):
        entries = session.search(domain, way, (), deadline=deadline, scope="SUBTREE", size_limit=2).entries
        if entries:
            return entries[0].dn if len(entries) == 1 else None
    return None


def _powerful(account: RawEntry | None) -> frozenset[str]:
    if account is None:
        return frozenset()
    sids = [values.sid_text(raw) for raw in _values(account, "tokenGroups")]
    own = next((values.sid_text(raw) for raw in _values(account, "objectSid")), "")
    domain = own.rpartition("-")[0]
    found = {_BUILTIN[sid] for sid in sids if sid in _BUILTIN}
    for sid in sids:
        start, _, last = sid.rpartition("-")
        forest_wide = last in {"518", "519", "527"}  # these are in the forest's first domain
        if int(last) in _POWERFUL and (start == domain or forest_wide):
            found.add(_POWERFUL[int(last)])
    return frozenset(found)


def _writable(
    session: Session, deadline: Deadline, people: tuple[RawEntry, ...], account: RawEntry | None
) -> frozenset[str] | None:
    """Ask the directory which attributes of somebody else the account may write."""
    other = next((p for p in people if account is None or p.dn.casefold() != account.dn.casefold()), None)
    if other is None:
        return None
    try:
        entries = session.search(
            other.dn, ANYTHING, ("allowedAttributesEffective",), deadline=deadline
        ).entries
    except DirectoryError:
        return None
    return frozenset(
        raw.decode("utf-8", "replace") for e in entries for raw in _values(e, "allowedAttributesEffective")
    )


def _ahead(session: Session, deadline: Deadline, now: datetime) -> float | None:
    """Return how far the controller's clock is ahead of ours, in seconds."""
    entries = session.search("", ANYTHING, ("currentTime",), deadline=deadline).entries
    raw = next((v for e in entries for v in _values(e, "currentTime")), None)
    if raw is None:
        return None
    try:
        moment = datetime.strptime(raw.decode("ascii")[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return (moment - now).total_seconds()


def _values(entry: RawEntry, name: str) -> tuple[bytes, ...]:
    return next((v for k, v in entry.attributes.items() if k.casefold() == name.casefold()), ())


async def _addresses(host: str) -> frozenset[str]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            answers = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError):
        return frozenset()
    return frozenset(str(answer[4][0]) for answer in answers)
