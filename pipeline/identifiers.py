"""What people type to name an object: told apart by form, never by guess."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class IdentifierKind(StrEnum):
    """The forms an identifier comes in."""

    DN = "dn"
    GUID = "guid"
    SID = "sid"
    ADDRESS = "address"  # a userPrincipalName or a mail address: they look alike
    ACCOUNT = "account"  # a sAMAccountName, with or without its domain


@dataclass(frozen=True, slots=True)
class Identifier:
    """A parsed identifier. `text` is its normal form; `domain` goes with an account name only."""

    kind: IdentifierKind
    text: str
    domain: str | None = None
