"""Distinguished names as a domain controller reads them: by parsed value, never by text.

RFC 4514 gives the string form; RFC 4518 the preparation of values for comparison, of which the parts that
matter here are case and runs of spaces.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from pyasn1.codec.ber.decoder import decode
from pyasn1.error import PyAsn1Error

Rdn = tuple[str, str]  # lower-case attribute type, prepared value
Name = tuple[Rdn, ...]

TYPES: Final = {
    "2.5.4.3": "cn",
    "2.5.4.6": "c",
    "2.5.4.7": "l",
    "2.5.4.8": "st",
    "2.5.4.9": "street",
    "2.5.4.10": "o",
    "2.5.4.11": "ou",
    "0.9.2342.19200300.100.1.1": "uid",
    "0.9.2342.19200300.100.1.25": "dc",
}
_SPECIAL: Final = frozenset('"+;<>')
_HEX: Final = frozenset("0123456789abcdefABCDEF")


class InvalidNameError(ValueError):
    """Say that a text is not a distinguished name."""


@lru_cache(maxsize=32_768)  # each search compares the same values of all entries
def prepare(value: str) -> str:
    """Bring a value into the form in which two equal values are the same text.

    One character maps to one (a server's table does that too), so ß stays apart from SS.
    """
    upper = value.upper()
    if len(upper) != len(value):  # no character becomes less than one
        upper = "".join(c.upper() if len(c.upper()) == 1 else c for c in value)
    return " ".join(part for part in upper.split(" ") if part)


@lru_cache(maxsize=32_768)  # a start parses every member of every group, and searches ask for the same bases
def parse(text: str) -> Name:
    """Parse a name into prepared values, most specific first; the empty text is the root.

    Raise InvalidNameError for anything RFC 4514 does not allow, and for several values in one RDN, which
    Active Directory does not have. Quoted values (RFC 2253) are read, as domain controllers do.
    """
    if not text.strip(" "):
        return ()
    reader = _Reader(text)
    rdns: list[Rdn] = []
    while True:
        rdns.append(_rdn(reader))
        if reader.done():
            return tuple(rdns)
        reader.expect(",")


def parse_bytes(raw: bytes) -> Name:
    """Parse a name as it comes over the wire."""
    try:
        return parse(raw.decode())
    except UnicodeDecodeError as error:
        raise InvalidNameError(str(error)) from error


def is_below(name: Name, ancestor: Name) -> bool:
    """Say whether `name` is `ancestor` or lies below it."""
    return len(name) >= len(ancestor) and name[len(name) - len(ancestor) :] == ancestor


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def done(self) -> bool:
        return self.at >= len(self.text)

    def peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def take(self) -> str:
        character = self.peek()
        if not character:
            raise InvalidNameError("the name ends too early")
        self.at += 1
        return character

    def expect(self, character: str) -> None:
        if self.take() != character:
            raise InvalidNameError(f"expected {character!r} at {self.at - 1}")

    def skip_spaces(self) -> None:
        while self.peek() == " ":
            self.at += 1


def _rdn(reader: _Reader) -> Rdn:
    reader.skip_spaces()
    kind = ""
    while (character := reader.take()) != "=":
        if not (character.isascii() and (character.isalnum() or character in "-.")):
            raise InvalidNameError(f"{character!r} cannot be part of an attribute type")
        kind += character
    if not kind:
        raise InvalidNameError("an attribute type is missing")
    kind = kind.lower().removeprefix("oid.")
    reader.skip_spaces()
    if reader.peek() == "#":
        value = _hexadecimal(reader)
    elif reader.peek() == '"':
        value = _quoted(reader)
    else:
        value = _plain(reader)
    if not value:
        raise InvalidNameError(f"{kind} has no value")
    return TYPES.get(kind, kind), prepare(value) or " "


def _plain(reader: _Reader) -> str:
    out = bytearray()
    kept = 0  # up to here nothing is cut off: an escaped space at the end counts
    while not reader.done() and reader.peek() != ",":
        character = reader.take()
        if character == "\\":
            out += _escaped(reader)
            kept = len(out)
        elif character in _SPECIAL or character == "\0":
            raise InvalidNameError(f"{character!r} must be escaped")
        else:
            out += character.encode()
            if character != " ":
                kept = len(out)
    return _text(bytes(out[:kept]))


def _quoted(reader: _Reader) -> str:
    out = bytearray()
    reader.take()
    while (character := reader.take()) != '"':
        out += _escaped(reader) if character == "\\" else character.encode()
    reader.skip_spaces()
    return _text(bytes(out))


def _escaped(reader: _Reader) -> bytes:
    first = reader.take()
    if first in ' "#+,;<=>\\':
        return first.encode()
    if first in _HEX and reader.peek() in _HEX:
        return bytes.fromhex(first + reader.take())
    raise InvalidNameError(f"\\{first} is not an escape")


def _hexadecimal(reader: _Reader) -> str:
    reader.take()
    digits = ""
    while reader.peek() in _HEX and not reader.done():
        digits += reader.take()
    try:
        value, rest = decode(bytes.fromhex(digits))
    except (ValueError, PyAsn1Error) as error:
        raise InvalidNameError("a # value must be the BER of a string") from error
    if rest:
        raise InvalidNameError("a # value must be one BER value")
    return _text(bytes(value))


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise InvalidNameError("a value is not UTF-8") from error
