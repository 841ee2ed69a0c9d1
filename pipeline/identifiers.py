"""What people type to name an object: told apart by form, never by guess."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pipeline import dn, values
from pipeline.errors import IdentifierEmpty, IdentifierMalformed


class IdentifierKind(StrEnum):
    """The forms an identifier comes in."""

    DN = "dn"
    GUID = "guid"
    SID = "sid"
    ADDRESS = "address"  # a userPrincipalName or a mail address: they look alike
    ACCOUNT = "account"  # a sAMAccountName, with or without its domain


@dataclass(frozen=True, slots=True)
class Identifier:
    """A parsed identifier. `text` is its normal form; `domain` goes with an account name only.

    An address other than a mail address keeps its prefix: `x500:/o=…`, as proxyAddresses holds it.
    """

    kind: IdentifierKind
    text: str
    domain: str | None = None


_BY_BASE: Final = re.compile(r"<\s*(GUID|SID)\s*=\s*([^<>]*?)\s*>", re.IGNORECASE)
_LABELLED: Final = re.compile(
    r"(?:object)?(?:guid|sid)[ ]*(?:::?|=)[ ]*|(?:onpremises)?immutableid[ ]*[:=][ ]*", re.IGNORECASE
)
_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_OCTETS: Final = re.compile(  # as filters, PowerShell, the attribute editor and ADSI Edit write them
    r"(?:0x)?[0-9a-f]{32}|(?:\\[0-9a-f]{2}){16}|(?:0x)?[0-9a-f]{2}(?:[ ,:-]{1,2}(?:0x)?[0-9a-f]{2}){15}",
    re.IGNORECASE,
)
_NO_DIGIT: Final = re.compile(r"0x|[^0-9a-f]", re.IGNORECASE)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{22}==")
_SID: Final = re.compile(r"S-1-[0-9]{1,20}(?:-[0-9]{1,20})*", re.IGNORECASE)
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})+", re.IGNORECASE)
_LINK: Final = re.compile(r"<mailto:([^|<>\s]+)(?:\|[^<>]*)?>|[^<>]*<([^<>@\s]+@[^<>@\s]+)>", re.IGNORECASE)
_MAIL_PREFIX: Final = re.compile(r"(?:smtp|mailto|sip):[ ]*", re.IGNORECASE)
_OTHER_PREFIX: Final = re.compile(r"(x500|x400|eum|ex|notes|fax):(?=.)", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"[^@\s\"()<>\[\]:;,\\]+@[^@\s\"()<>\[\]:;,\\/]*[^@\s\"()<>\[\]:;,\\/.]")
_ACCOUNT: Final = re.compile(r"[^\"/\\\[\]:;|=,+*?<>@]{1,256}")  # Microsoft, attribute SAM-Account-Name
_SENTENCE: Final = re.compile(r"(,[ ]*DC[ ]*=[ ]*[A-Za-z0-9-]+)\.\Z", re.IGNORECASE)
_DOMAIN: Final = re.compile(r"[^\"/\\\[\]:;|=,+*?<>@\s]{1,255}")


def parse_identifier(text: str) -> Identifier:
    """Tell what kind of identifier a text is and bring it into its normal form.

    A GUID is the hyphenated text, with or without braces, or its 16 octets in the order in which they are
    stored, in hex digits or in base64 as Entra ID's onPremisesImmutableId has them. A comma, semicolon or
    full stop behind what can end in none is left out. Raises IdentifierEmpty, IdentifierUnsafe or
    IdentifierMalformed.
    """
    dn.check_length(text)
    text = dn.tidy(text)
    if not text:
        raise IdentifierEmpty
    dn.refuse_unsafe(text)
    for form in dict.fromkeys((text, text.rstrip(" ,;."))):
        for read in _READERS:
            if form and (identifier := read(form)) is not None:
                return identifier
    raise IdentifierMalformed(
        f"“{dn.visible(text[:100])}” is no distinguished name, address, account name, GUID or SID."
    )


def _by_base(text: str) -> Identifier | None:
    """Read `<GUID=…>` and `<SID=…>` (MS-ADTS, section 3.1.1.3.1.2.4, alternative forms of DNs)."""
    found = _BY_BASE.fullmatch(text)
    if found is None:
        return None
    read = _guid if found[1].upper() == "GUID" else _sid
    identifier = read(found[2])
    if identifier is None and read is _sid and _HEX.fullmatch(found[2]):
        try:
            identifier = Identifier(IdentifierKind.SID, values.sid_text(bytes.fromhex(found[2])))
        except ValueError:
            identifier = None
    if identifier is None:
        raise IdentifierMalformed(f"“{found[2][:100]}” is not a {found[1].upper()}.")
    return identifier


def _bare(text: str) -> str:
    """Take the label off an id, and the punctuation behind it."""
    text = text.rstrip(" ,;.")
    return text[found.end() :] if (found := _LABELLED.match(text)) else text


def _guid(text: str) -> Identifier | None:
    text = _bare(text)
    if text.startswith("{") and text.endswith("}"):
        text = text[1:-1].strip()
    if _GUID.fullmatch(text):
        return Identifier(IdentifierKind.GUID, text.lower())
    if _OCTETS.fullmatch(text):
        digits = _NO_DIGIT.sub("", text)
        return Identifier(IdentifierKind.GUID, values.guid_text(bytes.fromhex(digits)))
    if _BASE64.fullmatch(text):
        return Identifier(IdentifierKind.GUID, values.guid_text(base64.b64decode(text)))
    return None


def _sid(text: str) -> Identifier | None:
    text = _bare(text)
    if _SID.fullmatch(text) is None:
        return None
    try:
        values.sid_bytes(text)
    except ValueError as error:
        raise IdentifierMalformed(f"“{text}” is not a SID: one of its numbers is too large.") from error
    return Identifier(IdentifierKind.SID, text.upper())


def _name(text: str) -> Identifier | None:
    if not dn.looks_like_dn(text):
        return None
    return Identifier(IdentifierKind.DN, str(dn.parse(_SENTENCE.sub(r"\1", text))))


def _address(text: str) -> Identifier | None:
    if found := _LINK.fullmatch(text):
        text = found[1] or found[2]
    if found := _OTHER_PREFIX.match(text):
        return Identifier(IdentifierKind.ADDRESS, f"{found[1].lower()}:{text[found.end() :].strip()}")
    text = _MAIL_PREFIX.sub("", text, count=1) if _MAIL_PREFIX.match(text) else text
    return Identifier(IdentifierKind.ADDRESS, text) if _ADDRESS.fullmatch(text) else None


def _account(text: str) -> Identifier | None:
    domain, separator, name = text.partition("\\")
    if not separator:
        domain, name = "", text
    elif not _DOMAIN.fullmatch(domain):
        return None
    name = name.strip()
    return Identifier(IdentifierKind.ACCOUNT, name, domain or None) if _ACCOUNT.fullmatch(name) else None


_READERS: Final[tuple[Callable[[str], Identifier | None], ...]] = (
    _by_base,
    _guid,
    _sid,
    _name,
    _address,
    _account,
)
