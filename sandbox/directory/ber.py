"""The few BER messages a server writes (RFC 4511, section 4): small enough to write by hand, and quick.

What comes in is read with the ASN.1 classes of ldap3; a contract test reads what goes out with the same
classes, so the two sides check each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SEQUENCE: Final = 0x30
SET: Final = 0x31
OCTETS: Final = 0x04
INTEGER: Final = 0x02
ENUMERATED: Final = 0x0A
BOOLEAN: Final = 0x01

BIND_RESPONSE: Final = 0x61
SEARCH_ENTRY: Final = 0x64
SEARCH_DONE: Final = 0x65
MODIFY_RESPONSE: Final = 0x67
ADD_RESPONSE: Final = 0x69
DELETE_RESPONSE: Final = 0x6B
MODIFY_DN_RESPONSE: Final = 0x6D
COMPARE_RESPONSE: Final = 0x6F
SEARCH_REFERENCE: Final = 0x73
EXTENDED_RESPONSE: Final = 0x78
_CONTROLS: Final = 0xA0
_REFERRAL: Final = 0xA3
_RESPONSE_NAME: Final = 0x8A
_RESPONSE_VALUE: Final = 0x8B


def tlv(tag: int, content: bytes) -> bytes:
    """Return one BER value of definite length."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def octets(value: bytes | str) -> bytes:
    """Return an OCTET STRING."""
    return tlv(OCTETS, value.encode() if isinstance(value, str) else value)


def integer(value: int, tag: int = INTEGER) -> bytes:
    """Return an INTEGER (or, by tag, an ENUMERATED)."""
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def message(message_id: int, operation: bytes, controls: Iterable[tuple[str, bytes]] = ()) -> bytes:
    """Wrap an operation into an LDAPMessage; `controls` are pairs of OID and value."""
    body = integer(message_id) + operation
    encoded = b"".join(tlv(SEQUENCE, octets(oid) + octets(value)) for oid, value in controls)
    if encoded:
        body += tlv(_CONTROLS, encoded)
    return tlv(SEQUENCE, body)


def result(tag: int, code: int, matched: str = "", text: str = "", referrals: Sequence[str] = ()) -> bytes:
    """Return an operation that is an LDAPResult."""
    return tlv(tag, _result_body(code, matched, text, referrals))


def code_of(operation: bytes) -> int:
    """Return the result code of an operation that is an LDAPResult."""
    head = 2 + (operation[1] & 0x7F if operation[1] & 0x80 else 0)
    return operation[head + 2]


def extended(code: int, *, text: str = "", name: str | None = None, value: bytes | None = None) -> bytes:
    """Return an ExtendedResponse."""
    body = _result_body(code, "", text, ())
    if name is not None:
        body += tlv(_RESPONSE_NAME, name.encode())
    if value is not None:
        body += tlv(_RESPONSE_VALUE, value)
    return tlv(EXTENDED_RESPONSE, body)


def entry(dn: str, attributes: Iterable[tuple[str, Sequence[bytes]]]) -> bytes:
    """Return a SearchResultEntry."""
    parts = [
        tlv(SEQUENCE, octets(name) + tlv(SET, b"".join([tlv(OCTETS, value) for value in values])))
        for name, values in attributes
    ]
    return tlv(SEARCH_ENTRY, octets(dn) + tlv(SEQUENCE, b"".join(parts)))


def reference(urls: Iterable[str]) -> bytes:
    """Return a SearchResultReference."""
    return tlv(SEARCH_REFERENCE, b"".join(octets(url) for url in urls))


def paged_value(size: int, cookie: bytes) -> bytes:
    """Return the value of a paged-results control (RFC 2696)."""
    return tlv(SEQUENCE, integer(size) + octets(cookie))


def _result_body(code: int, matched: str, text: str, referrals: Sequence[str]) -> bytes:
    body = integer(code, ENUMERATED) + octets(matched) + octets(text)
    if referrals:
        body += tlv(_REFERRAL, b"".join(octets(url) for url in referrals))
    return body
