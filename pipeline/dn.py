"""Distinguished names: read the forms people paste, print one strict form, compare by meaning.

Grammar: RFC 4514, with the older forms of RFC 2253 (quoted values, semicolons, spaces round `=`).
Two names are compared as Active Directory compares them: attribute types by their object identifier,
values without regard to case and to how many spaces stand between two words.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from pipeline.errors import IdentifierEmpty, IdentifierMalformed, IdentifierUnsafe

MAX_LENGTH: Final = 8192
"""Characters. Longer texts are refused unread; a name in a real forest has a few hundred."""

_OIDS: Final = {  # attribute types and their other spellings (RFC 4519; Microsoft's AD schema pages)
    "2.5.4.3": ("CN", "COMMONNAME"),
    "2.5.4.4": ("SN", "SURNAME"),
    "2.5.4.5": ("SERIALNUMBER",),
    "2.5.4.6": ("C", "COUNTRYNAME"),
    "2.5.4.7": ("L", "LOCALITYNAME"),
    "2.5.4.8": ("ST", "S", "STATEORPROVINCENAME"),
    "2.5.4.9": ("STREET", "STREETADDRESS"),
    "2.5.4.10": ("O", "ORGANIZATIONNAME"),
    "2.5.4.11": ("OU", "ORGANIZATIONALUNITNAME"),
    "2.5.4.12": ("TITLE", "T"),
    "2.5.4.42": ("GIVENNAME", "GN", "G"),
    "1.2.840.113549.1.9.1": ("E", "EMAILADDRESS", "EMAIL"),
    "0.9.2342.19200300.100.1.1": ("UID", "USERID"),
    "0.9.2342.19200300.100.1.25": ("DC", "DOMAINCOMPONENT"),
}
_CANONICAL: Final = {name: names[0] for oid, names in _OIDS.items() for name in (oid, *names)}

_TYPE: Final = r"[ ]*((?:[Oo][Ii][Dd]\.)?[0-9]+(?:\.[0-9]+)+|[A-Za-z][A-Za-z0-9-]*)[ ]*="
_TYPE_AT: Final = re.compile(_TYPE)
_NEXT: Final = re.compile(rf"[ ]*[,;+]{_TYPE}")
_END: Final = re.compile(r"[ ]*[,;]?[ ]*\Z")
_HEX_STRING: Final = re.compile(r"#((?:[0-9A-Fa-f]{2})+)(?=[ ]*(?:[,;+]|\Z))")
_HEX_PAIR: Final = re.compile(r"\\([0-9A-Fa-f]{2})")
_RUN: Final = re.compile(r" +")
_PLAIN: Final = re.compile(r"[^\\ ,;+]+")

_SPECIAL: Final = re.compile(r'[\\"+;#]')
_NEEDS_NOTHING: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 .-]*[A-Za-z0-9])?")
_UNSAFE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ESCAPABLE: Final = frozenset(' ",#+;<=>\\/')  # the slash is ADSI's own addition

_DEBRIS: Final = re.compile(  # what stands before the name in mails, LDIF files and ADSI paths
    r"(?:(?:dn|distinguished ?name)[ ]*:(?![:])[ ]*|(?:ldaps?|gc)://(?:[^/,=]*/)?|>[ >]*|[•·][ ]+)+",
    re.IGNORECASE,
)
_BASE64: Final = re.compile(r"(?:dn|distinguishedname)::[ ]*([A-Za-z0-9+/]+=*)\Z", re.IGNORECASE)
_LAYERS: Final = 8  # nobody wraps a name more often
_QUOTES: Final = {'"': '"', "'": "'", "`": "`", "“": "”", "„": "“", "‘": "’", "«": "»"}

_STRING_TAGS: Final = {  # BER tags of the string types (ITU-T X.690), and how their contents are encoded
    0x04: "utf-8",
    0x0C: "utf-8",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "ascii",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}


@dataclass(frozen=True, slots=True)
class Ava:
    """One `type=value` of a name: the type's short name in capitals (or its OID), the value unescaped."""

    type: str
    value: str

    @property
    def key(self) -> tuple[str, str]:
        """What is equal for equal pairs."""
        return self.type, fold(self.value)

    def __str__(self) -> str:
        return f"{self.type}={_escape(self.value)}"


@dataclass(frozen=True, eq=False)
class DistinguishedName:
    """A name as its relative names, the object's own first. Each is one or more pairs."""

    rdns: tuple[tuple[Ava, ...], ...]

    @cached_property
    def key(self) -> tuple[frozenset[tuple[str, str]], ...]:
        """What is equal for equal names."""
        return tuple(frozenset(ava.key for ava in rdn) for rdn in self.rdns)

    def __eq__(self, other: object) -> bool:
        return self.key == other.key if isinstance(other, DistinguishedName) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.key)

    def __str__(self) -> str:
        """Print the one strict form: valid RFC 4514 and RFC 2253, without any control character."""
        return ",".join("+".join(str(ava) for ava in rdn) for rdn in self.rdns)

    def is_under(self, other: DistinguishedName) -> bool:
        """Whether this object lies below the other, at any depth. Nothing lies below itself."""
        mine, theirs = self.key, other.key
        return len(mine) > len(theirs) and mine[len(mine) - len(theirs) :] == theirs

    @property
    def parent(self) -> DistinguishedName | None:
        """The container's name, or None when this is the outermost."""
        return DistinguishedName(self.rdns[1:]) if len(self.rdns) > 1 else None

    @property
    def ancestors(self) -> tuple[DistinguishedName, ...]:
        """The containers' names, the nearest first."""
        return tuple(DistinguishedName(self.rdns[n:]) for n in range(1, len(self.rdns)))

    @property
    def rdn_value(self) -> str:
        """The object's own name, for people: unescaped, with control characters made visible."""
        return visible(" + ".join(ava.value for ava in self.rdns[0]))

    @property
    def containers(self) -> tuple[str, ...]:
        """The containers' names, for people, the outermost first, without the domain."""
        above = [rdn for rdn in self.rdns[1:] if rdn[0].type != "DC"]
        return tuple(visible(" + ".join(ava.value for ava in rdn)) for rdn in reversed(above))

    @property
    def domain(self) -> str:
        """The DNS name that the name's domain components spell, in lower case; empty when there are none."""
        return ".".join(fold(rdn[0].value).lower() for rdn in self.rdns if rdn[0].type == "DC")


@lru_cache(maxsize=1024)
def parse(text: str) -> DistinguishedName:
    """Read a distinguished name in any form people paste.

    Raises IdentifierEmpty, IdentifierUnsafe for raw control or direction characters (written as hex pairs
    they are accepted), and IdentifierMalformed with the place where reading stopped.
    """
    check_length(text)
    text = tidy(text)
    if not text:
        raise IdentifierEmpty
    refuse_unsafe(text)
    return DistinguishedName(_Reader(text).rdns())


@lru_cache(maxsize=2048)
def from_directory(text: str) -> DistinguishedName:
    """Read a name that the directory gave: the very object, whatever characters people put in its name."""
    return DistinguishedName(_plain_rdns(text) or _Reader(text).rdns())


def looks_like_dn(text: str) -> bool:
    """Whether the text begins as a distinguished name does, whatever follows."""
    return _TYPE_AT.match(tidy(text)) is not None


def tidy(text: str) -> str:
    """Take off what is around a pasted name: white space, quotation marks, `DN:`, an ADSI or LDIF prefix."""
    text = text.lstrip("\ufeff\u200b")
    for _ in range(_LAYERS):
        text = _trim(text)
        if len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
            text = text[1:-1]
        elif encoded := _BASE64.match(text):
            text = _from_base64(encoded[1]) or text
        elif found := _DEBRIS.match(text):
            text = text[found.end() :]
        else:
            break
    return text


def refuse_unsafe(text: str) -> None:
    """Raise IdentifierUnsafe when the text holds a raw control or direction character."""
    if found := _UNSAFE.search(text):
        raise IdentifierUnsafe(
            f"The text holds the invisible character U+{ord(found[0]):04X} at position {found.start() + 1}, "
            "which could make it read as something else."
        )


def check_length(text: str) -> None:
    """Raise IdentifierMalformed when the text is longer than any identifier, or no valid Unicode."""
    if len(text) > MAX_LENGTH:
        raise IdentifierMalformed(f"The text is {len(text):,} characters long, too long for an identifier.")
    if any(0xD800 <= ord(c) <= 0xDFFF for c in text):
        raise IdentifierMalformed("The text holds half a character (an unpaired surrogate).")


def visible(text: str) -> str:
    """Return the text with its control and direction characters as the hex pairs of their UTF-8 form."""
    return _UNSAFE.sub(lambda found: _hex_pairs(found[0]), text)


def fold(text: str) -> str:
    r"""Return a form that is equal for values that the directory holds to be equal.

    Characters are matched one to one: `ß` is not `ss` and `ı` is not `i`. Spaces at the ends do not count and
    a run of spaces counts as one (RFC 4518 section 2.6.1).
    """
    upper = text.upper() if text.isascii() else "".join(map(_upper, text))
    return (_RUN.sub(" ", upper) if "  " in upper else upper).strip(" ")


def _upper(character: str) -> str:
    upper = character.upper()
    return upper if len(upper) == 1 and upper.lower() == character else character


def _plain_rdns(text: str) -> tuple[tuple[Ava, ...], ...] | None:
    """Read a name in which nothing is escaped, as most are: groups hold tens of thousands of them."""
    if _SPECIAL.search(text):
        return None
    rdns: list[tuple[Ava, ...]] = []
    for part in text.split(","):
        written, _, value = part.partition("=")
        name = _CANONICAL.get(written.upper())
        if name is None or not value or "=" in value or value[0] == " " or value[-1] == " ":
            return None
        rdns.append((Ava(name, value),))
    return tuple(rdns)


def _trim(text: str) -> str:
    """Strip blanks and line ends, but leave a space at the end that is escaped."""
    bare = text.strip(" \t\r\n")
    backslashes = len(bare) - len(bare.rstrip("\\"))
    if backslashes % 2 and text.lstrip(" \t\r\n")[len(bare) : len(bare) + 1] == " ":
        bare += " "
    return bare


def _from_base64(text: str) -> str | None:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None


def _escape(value: str) -> str:
    r"""Write a value so that RFC 2253 and RFC 4514 readers agree on it: `=` is escaped for the former."""
    if _NEEDS_NOTHING.fullmatch(value):
        return value
    out = []
    last = len(value) - 1
    for i, c in enumerate(value):
        if c in '",+;<=>\\' or (c == " " and i in {0, last}) or (c == "#" and i == 0):
            out.append("\\" + c)
        else:
            out.append(_hex_pairs(c) if _UNSAFE.match(c) else c)
    return "".join(out)


def _hex_pairs(text: str) -> str:
    return "".join(f"\\{byte:02X}" for byte in text.encode("utf-8"))


class _Reader:
    """Reads one name from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def rdns(self) -> tuple[tuple[Ava, ...], ...]:
        rdns: list[tuple[Ava, ...]] = []
        pairs = [self._pair()]
        while self.at < len(self.text):
            separator = self.text[self.at]
            self.at += 1
            if separator == "+":
                pairs.append(self._pair())
            else:
                rdns.append(tuple(pairs))
                pairs = [self._pair()]
        rdns.append(tuple(pairs))
        return tuple(rdns)

    def _pair(self) -> Ava:
        """Read `type = value` and stop before the separator."""
        found = _TYPE_AT.match(self.text, self.at)
        if found is None:
            where = "" if self.at == 0 else f", read from position {self.at + 1}"
            raise IdentifierMalformed(f"This is not a distinguished name: no “name=” at its start{where}.")
        self.at = found.end()
        written = found[1].upper().removeprefix("OID.")
        name = _CANONICAL.get(written, written)
        while self.text.startswith(" ", self.at):
            self.at += 1
        value = self._value()
        if not fold(value):
            raise IdentifierMalformed(f"This is not a distinguished name: {name}= has no value.")
        return Ava(name, value)

    def _value(self) -> str:
        for read in (self._hexadecimal, self._quoted):
            if (value := read()) is not None:
                return value
        return self._plain()

    def _stop(self, at: int) -> int | None:
        """Return where the separator stands when the value ends here; the text's end counts as one."""
        if _END.match(self.text, at):
            return len(self.text)
        found = _NEXT.match(self.text, at)
        return found.start() + len(found[0]) - len(found[0].lstrip(" ")) if found else None

    def _hexadecimal(self) -> str | None:
        """Read `#` and the BER encoding of a string; None when it is none, so that `#1` can be a name."""
        found = _HEX_STRING.match(self.text, self.at)
        if found is None or (stop := self._stop(found.end())) is None:
            return None
        value = _from_ber(bytes.fromhex(found[1]))
        if value is not None:
            self.at = stop
        return value

    def _quoted(self) -> str | None:
        """Read a value in quotation marks; None when they are no such marks, as in `"Bob" Smith`."""
        if not self.text.startswith('"', self.at):
            return None
        out = bytearray()
        at = self.at + 1
        while at < len(self.text):
            c = self.text[at]
            if c == '"':
                stop = self._stop(at + 1)
                if stop is None:
                    return None
                self.at = stop
                return self._decode(out)
            raw, at = self._escaped(at) if c == "\\" else (c.encode(), at + 1)
            out += raw
        return None

    def _plain(self) -> str:
        """Read an unquoted value. A separator that no `type=` follows is part of it: `CN=Doe, Jane,OU=…`."""
        out = bytearray()
        kept = 0  # up to here the value holds more than unescaped spaces
        at = self.at
        while at < len(self.text):
            c = self.text[at]
            if c in " ,;+" and (stop := self._stop(at)) is not None:
                at = stop
                break
            if spaces := _RUN.match(self.text, at):
                out += spaces[0].encode()
                at = spaces.end()
                continue
            if plain := _PLAIN.match(self.text, at):
                raw, at = plain[0].encode(), plain.end()
            else:
                raw, at = self._escaped(at) if c == "\\" else (c.encode(), at + 1)
            out += raw
            kept = len(out)
        self.at = at
        return self._decode(out[:kept])

    def _escaped(self, at: int) -> tuple[bytes, int]:
        """Read a backslash and what it escapes."""
        if pair := _HEX_PAIR.match(self.text, at):
            return bytes.fromhex(pair[1]), at + 3
        following = self.text[at + 1 : at + 2]
        if following not in _ESCAPABLE or not following:
            raise IdentifierMalformed(
                f"The backslash at position {at + 1} escapes nothing: write \\\\ for a backslash itself."
            )
        return following.encode(), at + 2

    def _decode(self, raw: bytes | bytearray) -> str:
        try:
            return bytes(raw).decode("utf-8")
        except UnicodeDecodeError as error:
            raise IdentifierMalformed("The hex pairs of the name are not valid UTF-8.") from error


def _from_ber(raw: bytes) -> str | None:
    """Decode a BER string of definite length; None when it is anything else."""
    if len(raw) < 2 or raw[0] not in _STRING_TAGS:
        return None
    length, start = raw[1], 2
    if length & 0x80:
        start += length & 0x7F
        if start == 2 or start > len(raw):
            return None
        length = int.from_bytes(raw[2:start], "big")
    if len(raw) != start + length:
        return None
    try:
        return raw[start:].decode(_STRING_TAGS[raw[0]])
    except UnicodeDecodeError:
        return None
