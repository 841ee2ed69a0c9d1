"""Active Directory's values: as expressions compute with them, as people read them, and in words."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import values
from pipeline.expressions.values import Reference, Value

GUID = uuid.UUID("7f3a91c0-1122-3344-5566-778899aabbcc")
SID = bytes.fromhex("010500000000000515000000dcf4dc3b833d2b46828ba62800020000")


def rows(*table: tuple[object, ...]) -> list[Any]:
    """Make a table's rows into parameters; the last column says why the row is there."""
    return [pytest.param(*row[:-1], id=str(row[-1])) for row in table]


@pytest.mark.parametrize(
    ("name", "raw", "expected"),
    rows(
        ("title", (), None, "absent"),
        ("title", (b"Reader",), "Reader", "text"),
        ("TITLE", ("Ü".encode(),), "Ü", "UTF-8, and names in any case"),
        ("userAccountControl", (b"512",), 512, "an integer"),
        ("groupType", (b"-2147483646",), -2147483646, "a negative integer"),
        ("pwdLastSet", (b"133500000000000000",), 133500000000000000, "ticks are an integer"),
        ("uSNChanged", (b"24001",), 24001, "a large integer"),
        ("msExchHideFromAddressLists", (b"TRUE",), "TRUE", "a boolean stays the directory's text"),
        ("objectGUID", (GUID.bytes_le,), GUID.bytes_le, "a GUID is octets"),
        ("objectSid", (SID,), SID, "a SID is octets"),
        ("thumbnailPhoto", (b"\xff\xd8\xff",), b"\xff\xd8\xff", "a photo is octets"),
        ("whenChanged", (b"20260102030405.0Z",), "20260102030405.0Z", "a time stays as it is stored"),
        ("proxyAddresses", (b"smtp:a@b",), ["smtp:a@b"], "multi-valued by schema: a list even of one"),
        ("description", (b"x",), ["x"], "description is multi-valued by schema"),
        ("memberOf", (b"CN=g",), ["CN=g"], "links are a list"),
        ("customThing", (b"a", b"b"), ["a", "b"], "several values make a list"),
        ("customThing", (b"\xff\x00",), b"\xff\x00", "octets that are no text"),
        ("customThing", (b"a\x00b",), b"a\x00b", "a NUL is in no text"),
        ("userAccountControl", (b"much",), "much", "a number that is none stays what it is"),
        ("userCertificate;binary", (b"\x30",), [b"\x30"], "an option does not hide the attribute"),
    ),
)
def test_values_for_expressions(name: str, raw: tuple[bytes, ...], expected: Value) -> None:
    """Each syntax gives the type that expressions compute with."""
    result = values.typed(name, raw)
    assert result == expected
    assert type(result) is type(expected)


def test_a_link_is_known_as_one() -> None:
    """The manager's name is a reference, so that functions can tell it from a text."""
    assert isinstance(values.typed("manager", (b"CN=Boss,DC=c",)), Reference)


@pytest.mark.parametrize(
    ("name", "raw", "expected"),
    rows(
        ("objectGUID", GUID.bytes_le, str(GUID), "a GUID"),
        ("mS-DS-ConsistencyGuid", GUID.bytes_le, str(GUID), "an anchor"),
        ("mS-DS-ConsistencyGuid", b"abc", "binary, 3 bytes", "an anchor that is no GUID"),
        ("objectSid", SID, "S-1-5-21-1004336348-1177238915-682003330-512", "a SID"),
        ("objectSid", b"\x01", "binary, 1 byte", "octets that are no SID"),
        ("whenChanged", b"20260102030405.0Z", "2026-01-02T03:04:05Z", "a time"),
        ("whenChanged", b"20260102030405.0+0200", "2026-01-02T03:04:05+02:00", "a time with an offset"),
        ("whenChanged", b"20261302030405.0Z", "20261302030405.0Z", "a month that is none"),
        ("pwdLastSet", b"133500000000000000", "133500000000000000", "ticks stay: the words tell the date"),
        ("thumbnailPhoto", b"\xff\xd8\xff" + b"x" * 4318, "JPEG photo, 4,321 bytes", "a photo"),
        ("jpegPhoto", b"\x89PNG1", "PNG photo, 5 bytes", "another kind of picture"),
        ("userCertificate", b"0" * 1024, "certificate, 1,024 bytes", "a certificate"),
        ("nTSecurityDescriptor", b"abc", "binary, 3 bytes", "octets that happen to be letters"),
        ("customThing", b"\xff\xfe", "binary, 2 bytes", "octets that are no text"),
        ("title", "a\u202eb".encode(), r"a\E2\80\AEb", "a direction override is shown, not obeyed"),
        ("streetAddress", b"1 Main St\r\nTown", "1 Main St\r\nTown", "line ends are kept"),
        ("title", b"", "", "an empty text"),
    ),
)
def test_texts_for_people(name: str, raw: bytes, expected: str) -> None:
    """Display shows each value in its usual form and octets as facts, never as mangled text."""
    assert values.texts(name, (raw,)) == (expected,)


@pytest.mark.parametrize(
    ("name", "raw", "expected"),
    rows(
        ("userAccountControl", b"512", ("normal account",), "enabled"),
        ("userAccountControl", b"514", ("account disabled", "normal account"), "disabled"),
        ("userAccountControl", b"544", ("password not required", "normal account"), "no password needed"),
        ("userAccountControl", b"66048", ("normal account", "password never expires"), "never expires"),
        ("userAccountControl", b"-2147483136", ("normal account", "unknown flags 0x80000000"), "a new flag"),
        ("msDS-User-Account-Control-Computed", b"16", ("locked out",), "locked"),
        ("msDS-User-Account-Control-Computed", b"8388608", ("password expired",), "expired"),
        ("msDS-User-Account-Control-Computed", b"0", ("not locked out, password not expired",), "nothing"),
        ("groupType", b"-2147483646", ("global security group",), "security"),
        ("groupType", b"8", ("universal distribution group",), "distribution"),
        ("groupType", b"-2147483643", ("domain local security group", "created by the system"), "built in"),
        ("accountExpires", b"0", ("never",), "0 is never, not 1601"),
        ("accountExpires", b"9223372036854775807", ("never",), "the largest is never, not 9999"),
        ("accountExpires", b"133500000000000000", ("2024-01-17T21:20:00Z",), "a date"),
        ("accountExpires", b"9223372036854775806", ("never",), "beyond the calendar"),
        ("pwdLastSet", b"0", ("must change at next logon",), "a password to change"),
        ("lockoutTime", b"0", ("not locked out",), "not locked"),
        (
            "lockoutTime",
            b"133500000000000000",
            ("locked out on 2024-01-17T21:20:00Z; the lockout may have ended since",),
            "locked",
        ),
        ("primaryGroupID", b"513", ("Domain Users, not listed in memberOf",), "the usual primary group"),
        (
            "primaryGroupID",
            b"1108",
            ("group number 1108 of the domain, not listed in memberOf",),
            "one of the domain's own",
        ),
        ("groupType", b"2", ("global distribution group",), "a distribution list of one domain"),
        ("groupType", b"-2147483640", ("universal security group",), "a group of the whole forest"),
        ("groupType", b"-2147483644", ("domain local security group",), "a group of its own domain"),
        ("userAccountControl", b"532480", ("domain controller account", "trusted for delegation"), "a DC"),
        ("sAMAccountType", b"805306368", ("user account",), "a user"),
        ("lastLogonTimestamp", b"133500000000000000", ("2024-01-17T21:20:00Z",), "any tick attribute"),
        ("adminCount", b"1", ("is or was a protected administrator",), "protected"),
        ("title", b"Reader", (), "text needs no words"),
        ("userAccountControl", b"much", (), "no number, no words"),
    ),
)
def test_words_beside_the_number(name: str, raw: bytes, expected: tuple[str, ...]) -> None:
    """Numbers that stand for something say what."""
    assert values.words(name, (raw,)) == expected


@given(st.uuids())
def test_guid_forms_are_inverse(guid: uuid.UUID) -> None:
    """A GUID's text and octets go back and forth, in the directory's mixed byte order."""
    assert values.guid_text(values.guid_bytes(str(guid))) == str(guid)
    assert values.guid_bytes(str(guid))[:4] == guid.bytes[:4][::-1]


@given(st.integers(0, 2**48 - 1), st.lists(st.integers(0, 2**32 - 1), max_size=15))
def test_sid_forms_are_inverse(authority: int, parts: list[int]) -> None:
    """A SID's text and octets go back and forth."""
    text = "-".join(["S-1", str(authority), *map(str, parts)])
    assert values.sid_text(values.sid_bytes(text)) == text


@pytest.mark.parametrize(
    "raw",
    [b"", b"\x01\x05", SID[:-1], SID + b"\x00", b"\x02" + SID[1:]],
    ids=lambda raw: raw.hex() or "empty",
)
def test_octets_that_are_no_sid_are_refused(raw: bytes) -> None:
    """Octets of a wrong length or revision are no SID."""
    with pytest.raises(ValueError, match="not a security identifier"):
        values.sid_text(raw)


@given(
    st.sampled_from(["title", "objectGUID", "pwdLastSet", "whenChanged", "thumbnailPhoto"]),
    st.binary(max_size=40),
)
def test_no_octets_break_the_display(name: str, raw: bytes) -> None:
    """Whatever octets the directory holds, there is a text without control characters for them."""
    (text,) = values.texts(name, (raw,))
    assert all(c in "\t\r\n" or ord(c) >= 0x20 for c in text)
    values.words(name, (raw,))
    values.typed(name, (raw,))
