"""Built-in exclusions: objects that no configuration should ever provision, each by name.

Source: Microsoft Entra Connect, page "Understanding the default configuration" (what its rules leave out),
and the cloud sync troubleshooting page (critical system objects, replication victims). They are guards, not
scope filters, because a filter's answer for an attribute without a value is "false".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from pipeline.expressions import Value
from pipeline.model import Condition, ObjectKind, SourceIdentity

Source = Mapping[str, Value]
_PEOPLE: Final = frozenset({ObjectKind.USER, ObjectKind.INET_ORG_PERSON})
_GROUPS: Final = frozenset({ObjectKind.GROUP})
_ACCOUNTS: Final = _PEOPLE | _GROUPS
_EVERYTHING: Final = frozenset(ObjectKind)

_EXCHANGE_SYSTEM_MAILBOXES: Final = 0x21C07000
"""The bits of msExchRecipientTypeDetails that mean system mailboxes, mailbox plans and public folders."""

READS: Final = (
    "isCriticalSystemObject",
    "sAMAccountName",
    "adminDescription",
    "mailNickname",
    "msExchRecipientTypeDetails",
)
"""The attributes that the guards read."""


@dataclass(frozen=True, slots=True)
class Guard:
    """One exclusion: which kinds it is about, and when it stops an object."""

    name: str
    kinds: frozenset[ObjectKind]
    stops: Callable[[SourceIdentity, Source], bool]
    why: str


def check_guards(identity: SourceIdentity, source: Source) -> tuple[Condition, ...]:
    """Ask every guard that is about this kind of object. `passed` means that it lets the object through."""
    return tuple(
        Condition(guard.name, not stopped, guard.why if stopped else "it does not apply")
        for guard in GUARDS
        if identity.kind in guard.kinds
        for stopped in (guard.stops(identity, source),)
    )


def _text(source: Source, name: str) -> str:
    value = source.get(name.casefold())
    return "" if value is None or isinstance(value, list) else str(value)


def _number(source: Source, name: str) -> int:
    text = _text(source, name)
    return int(text) if text.lstrip("-").isdigit() else 0


def _starts(name: str, *prefixes: str) -> Callable[[SourceIdentity, Source], bool]:
    folded = tuple(prefix.casefold() for prefix in prefixes)
    return lambda _, source: _text(source, name).casefold().startswith(folded)


GUARDS: Final = (
    Guard(
        "Critical system object",
        _EVERYTHING,
        lambda _, source: _text(source, "isCriticalSystemObject").casefold() == "true",
        "Windows marks it as critical to the system; such objects stay on premises",
    ),
    Guard(
        "Replication conflict",
        _EVERYTHING,
        lambda identity, _: "\\0acnf:" in identity.dn.casefold(),
        "it is the losing half of a replication conflict; resolve that in Active Directory",
    ),
    Guard(
        "No account name",
        _ACCOUNTS,
        lambda _, source: not _text(source, "sAMAccountName"),
        "it has no sAMAccountName",
    ),
    Guard(
        "Synchronisation service account",
        _PEOPLE,
        _starts("sAMAccountName", "AAD_", "MSOL_", "SUPPORT_388945a0"),
        "its account name is one that the synchronisation service or Windows uses for itself",
    ),
    Guard(
        "Exchange system mailbox",
        _PEOPLE,
        lambda _, source: (
            _text(source, "mailNickname").startswith(("SystemMailbox{", "CAS_{"))
            or bool(_number(source, "msExchRecipientTypeDetails") & _EXCHANGE_SYSTEM_MAILBOXES)
        ),
        "it is a mailbox of Exchange itself",
    ),
    Guard(
        "Written back from the cloud",
        _ACCOUNTS,
        _starts("adminDescription", "User_", "Group_"),
        "it came from the cloud; provisioning it again would make a loop",
    ),
)
