"""Requests as they come over the wire (RFC 4511), read into plain values.

The ASN.1 classes of ldap3 2.9.1 can write a filter but not read one with `and`, `or` or `not` in it, so
this side reads the bytes itself. Everything that is not what RFC 4511 says raises MalformedError.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_DEPTH: Final = 100


class MalformedError(ValueError):
    """Say that the bytes are not an LDAP request."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Hold one node of a filter.

    `kind` is and, or, not, equal, greater, less, approx, present, substrings or extensible. `parts` are the
    inner filters; `pieces` the parts of a substring match as (initial|any|final, value).
    """

    kind: str
    attribute: str = ""
    value: bytes = b""
    parts: tuple[Filter, ...] = ()
    pieces: tuple[tuple[str, bytes], ...] = ()
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Bind:
    """Ask to log on; `password` is None for anything but a simple bind."""

    version: int
    name: str
    password: bytes | None


@dataclass(frozen=True, slots=True)
class Search:
    """Ask for entries: scope 0 base, 1 one level, 2 subtree; limits 0 for none."""

    base: bytes
    scope: int
    size_limit: int
    time_limit: int
    types_only: bool
    filter: Filter
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Extended:
    """Ask for an extended operation by its OID."""

    name: str


@dataclass(frozen=True, slots=True)
class Abandon:
    """Give up an outstanding request."""

    message_id: int


@dataclass(frozen=True, slots=True)
class Unbind:
    """End the connection."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Ask for something this directory does not do; `answer` is the tag of the response."""

    answer: int


Operation = Bind | Search | Extended | Abandon | Unbind | Refused


@dataclass(frozen=True, slots=True)
class Control:
    """Hold one control of a request."""

    critical: bool
    value: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """Hold one request with its number and controls by OID."""

    message_id: int
    operation: Operation
    controls: dict[str, Control]


def read_message(raw: bytes) -> Message:
    """Read one LDAPMessage; raise MalformedError when it is none."""
    outer = _Reader(raw)
    body = _Reader(outer.take(0x30))
    outer.finish()
    message_id = body.integer(0x02)
    tag, content = body.any()
    operation = _operation(tag, content)
    controls = _controls(body.take(0xA0)) if not body.done() else {}
    body.finish()
    return Message(message_id, operation, controls)


def read_pair(raw: bytes) -> tuple[int, bytes]:
    """Read the SEQUENCE of INTEGER and OCTET STRING that a paged-results control holds."""
    outer = _Reader(raw)
    body = _Reader(outer.take(0x30))
    pair = body.integer(0x02), body.take(0x04)
    body.finish()
    outer.finish()
    return pair


def read_single(raw: bytes) -> int:
    """Read the SEQUENCE of one INTEGER that an extended-DN control holds."""
    return _Reader(_Reader(raw).take(0x30)).integer(0x02)


class _Reader:
    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def done(self) -> bool:
        return self._at >= len(self._raw)

    def finish(self) -> None:
        if not self.done():
            raise MalformedError("there are bytes left over")

    def peek(self) -> int:
        return -1 if self.done() else self._raw[self._at]

    def any(self) -> tuple[int, bytes]:
        """Take one value of whatever tag."""
        tag = self._bytes(1)[0]
        size = self._bytes(1)[0]
        if size & 0x80:
            count = size & 0x7F
            if not 1 <= count <= 4:
                raise MalformedError("a length no LDAP message has")
            size = int.from_bytes(self._bytes(count), "big")
        return tag, self._bytes(size)

    def take(self, tag: int) -> bytes:
        found, content = self.any()
        if found != tag:
            raise MalformedError(f"tag {found:#x} where {tag:#x} belongs")
        return content

    def integer(self, tag: int) -> int:
        content = self.take(tag)
        if not 1 <= len(content) <= 8:
            raise MalformedError("an integer of a length that LDAP does not use")
        return int.from_bytes(content, "big", signed=True)

    def boolean(self, tag: int) -> bool:
        content = self.take(tag)
        if len(content) != 1:
            raise MalformedError("a boolean has one byte")
        return content != b"\0"

    def text(self, tag: int) -> str:
        return _text(self.take(tag))

    def _bytes(self, count: int) -> bytes:
        piece = self._raw[self._at : self._at + count]
        if len(piece) != count:
            raise MalformedError("the message ends too early")
        self._at += count
        return piece


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise MalformedError("a text is not UTF-8") from error


def _operation(tag: int, content: bytes) -> Operation:
    if tag == 0x60:
        return _bind(content)
    if tag == 0x63:
        return _search(content)
    if tag == 0x77:
        return Extended(_Reader(content).text(0x80))
    if tag == 0x50:
        return Abandon(int.from_bytes(content, "big", signed=True))
    if tag == 0x42:
        return Unbind()
    # modify, add, delete, modify DN, compare: each response's tag is the next higher application number
    if tag in {0x66, 0x68, 0x4A, 0x6C, 0x6E}:
        return Refused((tag | 0x20) + 1)
    raise MalformedError(f"{tag:#x} is no request")


def _bind(content: bytes) -> Bind:
    reader = _Reader(content)
    version, name = reader.integer(0x02), reader.text(0x04)
    tag, credentials = reader.any()
    reader.finish()
    return Bind(version, name, credentials if tag == 0x80 else None)


def _search(content: bytes) -> Search:
    reader = _Reader(content)
    base = reader.take(0x04)
    scope = reader.integer(0x0A)
    if scope not in {0, 1, 2}:
        raise MalformedError("there are three scopes")
    reader.integer(0x0A)  # aliases do not exist in Active Directory
    size_limit, time_limit = reader.integer(0x02), reader.integer(0x02)
    types_only = reader.boolean(0x01)
    found = _filter(*reader.any(), depth=0)
    names = _Reader(reader.take(0x30))
    attributes = []
    while not names.done():
        attributes.append(names.text(0x04))
    reader.finish()
    return Search(base, scope, size_limit, time_limit, types_only, found, tuple(attributes))


_ASSERTIONS: Final = {0xA3: "equal", 0xA5: "greater", 0xA6: "less", 0xA8: "approx"}
_PIECES: Final = {0x80: "initial", 0x81: "any", 0x82: "final"}


def _filter(tag: int, content: bytes, *, depth: int) -> Filter:
    if depth > MAX_DEPTH:
        raise MalformedError("the filter is nested too deeply")
    reader = _Reader(content)
    if tag in {0xA0, 0xA1, 0xA2}:
        parts = []
        while not reader.done():
            parts.append(_filter(*reader.any(), depth=depth + 1))
        if tag == 0xA2 and len(parts) != 1:
            raise MalformedError("a negation holds one filter")
        return Filter({0xA0: "and", 0xA1: "or", 0xA2: "not"}[tag], parts=tuple(parts))
    if tag in _ASSERTIONS:
        found = Filter(_ASSERTIONS[tag], reader.text(0x04), reader.take(0x04))
        reader.finish()
        return found
    if tag == 0x87:
        return Filter("present", _text(content))
    if tag == 0xA4:
        return _substrings(reader)
    if tag == 0xA9:
        return _extensible(reader)
    raise MalformedError(f"{tag:#x} is no filter")


def _substrings(reader: _Reader) -> Filter:
    attribute = reader.text(0x04)
    inner = _Reader(reader.take(0x30))
    reader.finish()
    pieces = []
    while not inner.done():
        tag, value = inner.any()
        if tag not in _PIECES:
            raise MalformedError(f"{tag:#x} is no part of a substring match")
        pieces.append((_PIECES[tag], value))
    if not pieces:
        raise MalformedError("a substring match has parts")
    return Filter("substrings", attribute, pieces=tuple(pieces))


def _extensible(reader: _Reader) -> Filter:
    rule = reader.text(0x81) if reader.peek() == 0x81 else ""
    attribute = reader.text(0x82) if reader.peek() == 0x82 else ""
    value = reader.take(0x83)
    if reader.peek() == 0x84:
        reader.boolean(0x84)  # dnAttributes: Active Directory takes no notice
    reader.finish()
    return Filter("extensible", attribute, value, rule=rule)


def _controls(content: bytes) -> dict[str, Control]:
    reader = _Reader(content)
    found: dict[str, Control] = {}
    while not reader.done():
        inner = _Reader(reader.take(0x30))
        oid = inner.text(0x04)
        critical = inner.boolean(0x01) if inner.peek() == 0x01 else False
        value = inner.take(0x04) if inner.peek() == 0x04 else b""
        inner.finish()
        found[oid] = Control(critical, value)
    return found
