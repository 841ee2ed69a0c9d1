"""Search as people search: the first letters of a name, an address or an account, and the likeliest first."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from pipeline.adapters.ldap_filters import AllOf, AnyOf, Equal, Filter, StartsWith
from pipeline.dn import fold, from_directory
from pipeline.ports import DirectoryEntry

SHOWN: Final = (
    "displayName",
    "name",
    "mail",
    "userPrincipalName",
    "sAMAccountName",
    "objectGUID",
    "objectClass",
    "distinguishedName",
)
"""What a list of choices needs; nothing else is read."""

LOOKED_AT: Final = 100
"""How many hits are put in order at most; a controller gives them in no order of use."""

_LONGEST: Final = 256
_ACCOUNT: Final = re.compile(r"[A-Za-z0-9.-]+\\([^\\]{2,})")  # DOMAIN\name
_BY_ACCOUNT: Final = ("sAMAccountName", "userPrincipalName", "mail")
_BY_NAME: Final = ("displayName", "name")


def people_filter(text: str) -> Filter | None:
    """Return the condition for what was typed, or None when that is too little to search for.

    Ambiguous name resolution (MS-ADTS 3.1.1.3.1.3.1, "Search Filters") knows display name, given name and
    surname in either order, account name and e-mail addresses; the user principal name is added here. One
    letter would be answered by half a domain; one character of another script can be a whole surname.
    """
    text = _typed(text)
    if not text or len(text) > _LONGEST or (len(text) == 1 and text.isascii()):
        return None
    starts: list[Filter] = [StartsWith("userPrincipalName", text), StartsWith("mail", text)]
    if account := _ACCOUNT.fullmatch(text):
        starts.append(Equal("anr", account[1]))
    return AllOf(
        (
            # indexed, and computers have a category of their own although they are users by class
            AnyOf((Equal("objectCategory", "person"), Equal("objectCategory", "group"))),
            AnyOf(
                (Equal("objectClass", "user"), Equal("objectClass", "group"), Equal("objectClass", "contact"))
            ),
            AnyOf((Equal("anr", text), *starts)),
        )
    )


def in_order(entries: Sequence[DirectoryEntry], text: str) -> tuple[DirectoryEntry, ...]:
    """Return the likeliest first: exact hits, then what starts so, of each people before groups."""
    account = _ACCOUNT.fullmatch(_typed(text))
    wanted = fold(account[1] if account else _typed(text))
    return tuple(sorted(entries, key=lambda entry: _rank(entry, wanted)))


def _rank(entry: DirectoryEntry, wanted: str) -> tuple[int, int, str, str]:
    accounts, names = ([_first(entry, name) for name in group] for group in (_BY_ACCOUNT, _BY_NAME))
    folded = [fold(value) for value in (*accounts, *names)]
    starting = [value for value in folded if value.startswith(wanted)]
    closeness = 0 if wanted in starting else 1 if starting else 2
    classes = {value.lower() for value in entry.get("objectClass")}
    kind = 0 if b"user" in classes else 1 if b"group" in classes else 2
    shown = next((value for value in (*names, *accounts) if value), from_directory(entry.dn).rdn_value)
    return closeness, kind, fold(shown), entry.dn


def _first(entry: DirectoryEntry, name: str) -> str:
    return next((raw.decode("utf-8", "replace") for raw in entry.get(name)), "")


def _typed(text: str) -> str:
    """Return what of a text can be in a name; a leading `=` would be an operator of the resolution."""
    text = "".join(" " if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} else c for c in text)
    return " ".join(text.lstrip(" =").split())
