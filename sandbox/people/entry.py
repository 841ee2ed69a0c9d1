"""One directory entry, and the small rules by which Active Directory writes its values.

Sources: RFC 4514 (string form of names), [MS-DTYP] sections "GUID" and "SID" (byte order),
[MS-ADTS] section "Attributes" (FILETIME counts 100 ns since 1601).
"""

from __future__ import annotations

import hashlib
import struct
import unicodedata
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BASE_DN: Final = "DC=contoso,DC=test"
TOP_DN: Final = f"OU=Contoso,{BASE_DN}"
CORP_DN: Final = f"OU=Corp,{TOP_DN}"
GROUPS_DN: Final = f"OU=Groups,{TOP_DN}"
NOT_SYNCED_DN: Final = f"OU=Not Synced,{TOP_DN}"
SERVICE_DN: Final = f"OU=Service Accounts,{TOP_DN}"
CONTACTS_DN: Final = f"OU=Contacts,{TOP_DN}"
LEAVERS_DN: Final = f"OU=Leavers,{TOP_DN}"
COMPUTERS_DN: Final = f"OU=Computers,{TOP_DN}"
SCHEMA_DN: Final = f"CN=Schema,CN=Configuration,{BASE_DN}"
DOMAIN: Final = "contoso.test"

DOMAIN_SID: Final = "S-1-5-21-2718281828-3141592653-1618033988"
FIRST_RID: Final = 2000
NEVER: Final = 0x7FFFFFFFFFFFFFFF
BORN: Final = datetime(2024, 6, 3, 8, 0, tzinfo=UTC)

_NAMESPACE: Final = uuid.UUID("6f0c1b5e-3f1e-5c55-9a0e-7d4f6c6f7465")
_ESCAPED: Final = frozenset(',+"\\<>;=')
_FOLDED: Final = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ß": "ss", "đ": "d", "Đ": "D", "ı": "i", "æ": "ae", "Æ": "Ae"}
)

Plain = str | int | bool | bytes | None


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold one entry: its name in strict RFC 4514 form and its values as the bytes AD would send."""

    dn: str
    attributes: Mapping[str, tuple[bytes, ...]]

    def text(self, name: str) -> str | None:
        """Return the first value of an attribute as text, or None when it has none."""
        values = self.attributes.get(name)
        return values[0].decode() if values else None


def escape(value: str) -> str:
    """Escape one RDN value as RFC 4514 asks, with the characters Active Directory escapes."""
    out = []
    for position, character in enumerate(value):
        at_edge = position in {0, len(value) - 1}
        if character in _ESCAPED or (character == "#" and position == 0) or (character == " " and at_edge):
            out.append("\\" + character)
        elif character in "\0\r\n":
            out.append(f"\\{ord(character):02X}")
        else:
            out.append(character)
    return "".join(out)


def child(kind: str, name: str, parent: str) -> str:
    """Return the DN of a child: `kind` is the naming attribute, such as CN or OU."""
    return f"{kind}={escape(name)},{parent}"


def guid_of(key: str) -> uuid.UUID:
    """Return the objectGUID that belongs to a key: the same in every run and on every machine."""
    return uuid.uuid5(_NAMESPACE, f"directory:{key}")


def cloud_id_of(key: str) -> str:
    """Return the Entra id that belongs to a key, as the hyphenated text Graph uses."""
    return str(uuid.uuid5(_NAMESPACE, f"tenant:{key}"))


def sid_bytes(text: str) -> bytes:
    """Turn `S-1-5-21-…` into its binary form ([MS-DTYP] section "SID--Packet Representation")."""
    revision, authority, *rest = (int(part) for part in text.split("-")[1:])
    return bytes([revision, len(rest)]) + authority.to_bytes(6, "big") + struct.pack(f"<{len(rest)}I", *rest)


def filetime(moment: datetime) -> int:
    """Count the 100 ns steps from 1601-01-01 to a moment."""
    return int((moment - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 10_000_000


def generalized(moment: datetime) -> str:
    """Write a moment in the GeneralizedTime form of AD, with its `.0Z`."""
    return moment.strftime("%Y%m%d%H%M%S.0Z")


def fold(text: str) -> str:
    """Reduce a name to lower-case ASCII letters, digits and hyphens, for addresses and account names."""
    plain = unicodedata.normalize("NFKD", text.translate(_FOLDED))
    return "".join(c for c in plain if c.isascii() and (c.isalnum() or c == "-")).lower()


def encode(value: Plain | Iterable[Plain]) -> tuple[bytes, ...]:
    """Encode one value or a list of values as AD sends them; None and empty values vanish."""
    if isinstance(value, (str, int, bytes)) or value is None:
        one = _encode_one(value)
        return () if one is None else (one,)
    return tuple(one for item in value for one in [_encode_one(item)] if one is not None)


def _encode_one(value: Plain) -> bytes | None:
    if value is None or value in {"", b""}:
        return None
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool):
        return b"TRUE" if value else b"FALSE"
    return str(value).encode()


def photo(size: int) -> bytes:
    """Make a valid baseline JPEG of one grey pixel, padded by a comment to about `size` bytes."""

    def segment(marker: int, body: bytes) -> bytes:
        return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body

    one_code = bytes([1]) + bytes(15) + b"\x00"  # a Huffman table of a single one-bit code for symbol 0
    head = b"\xff\xd8" + segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")
    tables = segment(0xDB, b"\x00" + b"\x01" * 64) + segment(0xC0, b"\x08\x00\x01\x00\x01\x01\x01\x11\x00")
    codes = segment(0xC4, b"\x00" + one_code) + segment(0xC4, b"\x10" + one_code)
    scan = segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x3f" + b"\xff\xd9"
    comments = b""
    missing = size - len(head + tables + codes + scan) - 4
    while missing > 0:
        step = min(missing, 65_000)
        comments += segment(0xFE, b"x" * step)
        missing -= step + 4
    return head + comments + tables + codes + scan


def certificate_like(key: str, size: int = 1024) -> bytes:
    """Make deterministic bytes of the size of a certificate; nobody here parses them."""
    block = hashlib.sha512(key.encode()).digest()
    return (block * (size // len(block) + 1))[:size]


class EntryMaker:
    """Number entries in the order they are made and add what the directory itself would add."""

    def __init__(self) -> None:
        self.made: list[Entry] = []
        self._rid = FIRST_RID

    def add(  # the parts of an entry, each by its name
        self,
        dn: str,
        classes: Iterable[str],
        category: str | None,
        values: Mapping[str, Plain | Iterable[Plain]],
        *,
        key: str | None = None,
        sid: str | None = None,
        principal: bool = False,
    ) -> Entry:
        """Make one entry.

        `key` names the entry for its GUID (default: the DN), `principal` gives it the next SID of the
        domain, `sid` a given one. `category` is the schema class's name in objectCategory, None for none.
        """
        number = len(self.made)
        if principal and sid is None:
            sid = f"{DOMAIN_SID}-{self._rid}"
            self._rid += 1
        naming, _, rest = dn.partition("=")
        name = unescape_first(rest)
        attributes: dict[str, tuple[bytes, ...]] = {
            "objectClass": encode(classes),
            "distinguishedName": encode(dn),
            "instanceType": encode(5 if category == "Domain-DNS" else 4),
            "whenCreated": encode(generalized(BORN + timedelta(minutes=number))),
            "whenChanged": encode(generalized(BORN + timedelta(days=30, minutes=number))),
            "uSNCreated": encode(12_000 + number),
            "uSNChanged": encode(24_000 + number),
            "objectGUID": (guid_of(key or dn).bytes_le,),
        }
        if category is not None:
            attributes["objectCategory"] = encode(f"CN={category},{SCHEMA_DN}")
        attributes["name"] = encode(name)
        attributes[naming.lower()] = encode(name)
        if sid is not None:
            attributes["objectSid"] = (sid_bytes(sid),)
        for attribute, value in values.items():
            encoded = encode(value)
            if encoded:
                attributes[attribute] = encoded
        entry = Entry(dn, attributes)
        self.made.append(entry)
        return entry


def unescape_first(text: str) -> str:
    """Return the value of the first RDN of `text`, which starts after the `=` and is in our own form."""
    out: list[str] = []
    characters = iter(text)
    for character in characters:
        if character == ",":
            break
        if character == "\\":
            following = next(characters)
            if following == "0":  # only control characters are written as hex pairs here
                following = chr(int(next(characters), 16))
            out.append(following)
        else:
            out.append(character)
    return "".join(out)
