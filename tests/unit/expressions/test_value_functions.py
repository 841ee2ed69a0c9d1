"""Binary values, numbers, distinguished names, and what is made anew each time."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import pytest

from pipeline.expressions import ExpressionError, Value
from pipeline.expressions.values import Reference

Evaluate: TypeAlias = Callable[..., Any]

_GUID: Final = bytes.fromhex("1f59850671f96c4a8a5c998749dd1026")
_SID: Final = bytes.fromhex("0105000000000005150000005c030d7ff609f2799a519a1f186e0100")
_SOURCE: Final[dict[str, Value]] = {
    "guid": _GUID,
    "sid": _SID,
    "uac": "66050",
    "dn": "CN=Smith\\, John,OU=A\\+B, DC=contoso,DC=com",
    "photos": [b"\0", b"\1"],
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ConvertToBase64([guid])", "H1mFBnH5bEqKXJmHSd0QJg=="),  # bytes as they are
        ('ConvertToBase64("A")', "QQA="),  # text as UTF-16
        ("ConvertToBase64(7)", "NwA="),  # by its text form
        ("ConvertToBase64([none])", None),
        ("ConvertToBase64([photos])", ["AA==", "AQ=="]),
        ('ConvertToBase64("\ud83d")', "/f8="),  # half a surrogate pair becomes U+FFFD
        ('ConvertFromBase64("QQA=")', "A"),
        ('ConvertFromBase64("QUI=", UTF8)', "AB"),
        ('ConvertFromBase64("Qf8=", ASCII)', "A?"),  # .NET writes a question mark
        ('ConvertFromBase64("QQA=", Unicode)', "A"),
        ('ConvertFromBase64(" QQ\nA= ")', "A"),  # white space is free in base64
        ('ConvertFromBase64("QUI=", "utf8")', "AB"),  # the word may stand in quotes
        ('ConvertToUTF8Hex("Zoë")', "5A6FC3AB"),
        ("ConvertToUTF8Hex([photos])", ["00", "01"]),
        ("StringFromSid([sid])", "S-1-5-21-2131559260-2045905398-530207130-93720"),
        ('StringFromSid("S-1-5-18")', "S-1-5-18"),  # a text form stays
        ('StringFromSid("AQEAAAAAAAUSAAAA")', "S-1-5-18"),  # base64, as Graph gives binary values
        ("BitAnd([uac], 2)", 2),
        ("BitAnd(&HF, &HF7)", 7),
        ("BitAnd([none], 2)", None),  # nothing is known of an absent flag
        ("IIF(BitAnd([none], 2) = 0, True, False)", False),  # so an account is not enabled by accident
        ("BitAnd(-2147483646, -2147483648)", -2147483648),
        ("DNComponent([dn], 1)", "Smith\\, John"),  # as the directory wrote it
        ("DNComponent([dn], 2)", "A\\+B"),
        ("DNComponent([dn], 3)", "contoso"),
        ("DNComponent([dn], 9)", None),
        ('DNComponent("CN=\\"a,b\\",DC=c", 1)', '"a,b"'),  # the quoted form of RFC 2253
        ("DNComponent([none], 1)", None),
    ],
)
def test_values_of_every_dialect(evaluate: Evaluate, text: str, expected: Value) -> None:
    """Conversions give what .NET gives."""
    assert evaluate(text, _SOURCE) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("StringFromGuid([guid])", "0685591f-f971-4a6c-8a5c-998749dd1026"),  # AD's byte order
        ('CGuid("{0685591f-f971-4a6c-8a5c-998749dd1026}")', _GUID),
        ('CGuid("0685591F-F971-4A6C-8A5C-998749DD1026")', _GUID),
        ('IsGuid("0685591f-f971-4a6c-8a5c-998749dd1026")', True),
        ('IsGuid("{0685591f-f971-4a6c-8a5c-998749dd1026")', False),  # half a pair of braces
        ('IsGuid("0685591ff9714a6c8a5c998749dd1026")', False),
        ("IsGuid([none])", False),
        ("IsGuid([guid])", False),
        ('ConvertFromUTF8Hex("5A6FC3AB")', "Zoë"),
        ("BitOr(8, 2)", 10),
        ("IsBitSet(&HF, 4)", True),
        ("IsBitSet([uac], 512)", True),
        ("IsBitSet([none], 4)", False),
        ('CNum("12")', 12),
        ('CNum(" -1.5 ")', -1.5),
        ("CNum([none])", None),
        ('IsNumeric("1,000")', False),
        ('IsNumeric("12")', True),
        ('IsNumeric("1e5")', False),
        ('IsNumeric("٣")', False),  # digits of other scripts are no numbers
        ("IsNumeric([none])", False),
        ("IsNumeric([guid])", False),
        ('DNComponentRev(CRef("cn=J,ou=A,ou=U, dc=c,dc=d"), 3)', "U"),
        ('DNComponentRev(CRef("cn=J,ou=A,ou=U, dc=c,dc=d"), 1, "DC")', "U"),
        ('DNComponentRev(CRef("cn=J,ou=A,ou=U, DC=c,dc=d"), 1, DC)', "U"),
        ('EscapeDNComponent("cn=" & "Doe, J+x") & ",dc=c"', "cn=Doe\\, J\\+x,dc=c"),
        ('EscapeDNComponent("Doe; <x>")', "Doe\\; \\<x\\>"),
        ('EscapeDNComponent("cn= x ")', "cn=\\ x\\ "),
        ('EscapeDNComponent("#x")', "\\#x"),
        ('EscapeDNComponent("a\\\\b\\"")', 'a\\\\b\\"'),
    ],
)
def test_values_of_connect(evaluate: Evaluate, text: str, expected: Value) -> None:
    """The same for functions that only Connect Sync has."""
    assert evaluate(text, _SOURCE, "connect") == expected


@pytest.mark.parametrize(
    ("text", "dialect", "message"),
    [
        ('ConvertFromBase64("?")', "cloud-sync", 'source must be base64 text, got "?"'),
        ('ConvertFromBase64("QQA=", DC)', "cloud-sync", "Encoding must be Unicode, ASCII or UTF8"),
        ("StringFromSid([guid])", "cloud-sync", "must be the bytes of a security identifier, got 16 bytes"),
        ('StringFromSid("x")', "cloud-sync", 'ObjectSID must be a binary value, got "x"'),
        ('BitAnd("x", 1)', "cloud-sync", 'BitAnd: value1 must be a whole number, got "x" (column 8)'),
        ("BitAnd(1, [none])", "cloud-sync", "BitAnd: value2 must be a whole number, got nothing (column 11)"),
        ('DNComponent("no dn", 1)', "cloud-sync", 'dn must be a distinguished name, got "no dn"'),
        ("DNComponent([dn], 0)", "cloud-sync", "ComponentNumber must be 1 or more, got 0"),
        ('CNum("x")', "connect", 'value must be a number, got "x"'),
        ('CNum("99999999999999999999999")', "connect", "must be a number"),
        ('CGuid("x")', "connect", 'GUID must be a GUID, got "x"'),
        ("StringFromGuid([sid])", "connect", "GUID must be 16 bytes, got 28 bytes"),
        ('ConvertFromUTF8Hex("5")', "connect", "must be pairs of hexadecimal digits"),
        ('DNComponentRev([dn], 1, "OU")', "connect", 'Options must be DC, got "OU"'),
        ("RandomNum(2, 1)", "connect", "end must not be less than start (2), got 1"),
    ],
)
def test_errors_of_values(evaluate: Evaluate, text: str, dialect: str, message: str) -> None:
    """What is no number, GUID, SID or DN is named with the argument it was given for."""
    with pytest.raises(ExpressionError) as raised:
        evaluate(text, _SOURCE, dialect)
    assert message in str(raised.value)


def test_a_reference_is_a_text_of_its_own(evaluate: Evaluate) -> None:
    """CRef marks a DN as a reference, which Contains compares whole."""
    assert isinstance(evaluate("CRef([dn])", _SOURCE), Reference)


def test_guids_are_new_each_time(evaluate: Evaluate) -> None:
    """Guid gives a random GUID of version 4, in lower case, from the context's source of chance."""
    first, second = evaluate("Guid()"), evaluate("Guid()")
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", first)
    assert first != second


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("RandomString(6,3,0,0,3)", r"(?=(?:.*[0-9]){3})(?=(?:.*[a-z]){3})[0-9a-z]{6}"),
        ('RandomString(10,2,2,2,1,"?,")', r"(?=(?:.*[0-9]){2})(?=(?:.*[A-Z]){2})(?=.*[a-z])[^?,]{10}"),
        ("RandomString(8,0,0,0,0)", r"[0-9A-Za-z]{8}"),
        ("RandomString(0,0,0,0,0)", ""),
        ("RandomString(256,0,0,256,0)", r"[A-Z]{256}"),
        ('RandomString(9,1,0,0,0,"012345678")', "9{9}"),
    ],
)
def test_random_texts_keep_their_conditions(evaluate: Evaluate, text: str, pattern: str) -> None:
    """A random text has its length, at least so many of each kind, and none of the characters to avoid."""
    for _ in range(20):
        assert re.fullmatch(pattern, evaluate(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("RandomString(257,0,0,0,0)", "Length must be 0 to 256, got 257"),
        ("RandomString(2,1,1,1,0)", "Length must be at least the sum of the minimums, 3, got 2"),
        ("RandomString(2,9,0,0,0)", "Length must be at least 9, got 2"),
        ("RandomString(2,-1,0,0,0)", "MinimumNumbers must not be negative, got -1"),
        ('RandomString(2,1,0,0,0,"0123456789")', "CharactersToAvoid leaves no character to choose from"),
        ("RandomString(2,100000000000,0,0,0)", "Length must be at least"),
    ],
)
def test_random_texts_that_cannot_be_made(evaluate: Evaluate, text: str, message: str) -> None:
    """Conditions that contradict each other are an error, at once."""
    with pytest.raises(ExpressionError) as raised:
        evaluate(text)
    assert message in str(raised.value)


def test_random_numbers_stay_within_their_limits(evaluate: Evaluate) -> None:
    """Both limits can come up."""
    seen = {evaluate("RandomNum(1, 3)", dialect="connect") for _ in range(60)}
    assert seen == {1, 2, 3}
