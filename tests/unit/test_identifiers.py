"""What people type: told apart by its form, refused when it has none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import IdentifierEmpty, IdentifierMalformed, IdentifierUnsafe, RequestError
from pipeline.identifiers import Identifier, IdentifierKind, parse_identifier

GUID = "7f3a91c0-1122-3344-5566-778899aabbcc"
SID = "S-1-5-21-1004336348-1177238915-682003330-512"
LETTERS = "fedcba98-1122-3344-5566-778899aabbcc"
SID_HEX = "010500000000000515000000dcf4dc3b833d2b46828ba62800020000"


def rows(*table: tuple[object, ...]) -> list[Any]:
    """Make a table's rows into parameters; the last column says why the row is there."""
    return [pytest.param(*row[:-1], id=str(row[-1])) for row in table]


@pytest.mark.parametrize(
    ("text", "kind", "normal", "domain"),
    rows(
        ("cn=Ada,dc=c", IdentifierKind.DN, "CN=Ada,DC=c", None, "a name"),
        ("> CN=Ada,DC=c", IdentifierKind.DN, "CN=Ada,DC=c", None, "a name from an answered mail"),
        ("• CN=Ada,DC=c;", IdentifierKind.DN, "CN=Ada,DC=c", None, "a name from a list"),
        ("CN=Ada Jr.,DC=c.", IdentifierKind.DN, "CN=Ada Jr.,DC=c", None, "a name that ends a sentence"),
        ("CN=Ada Jr.", IdentifierKind.DN, "CN=Ada Jr.", None, "a full stop that is part of the name"),
        ("DN: CN=Ada,DC=c\n", IdentifierKind.DN, "CN=Ada,DC=c", None, "a name with its label"),
        (GUID, IdentifierKind.GUID, GUID, None, "a GUID"),
        (GUID.upper(), IdentifierKind.GUID, GUID, None, "in capitals"),
        ("{" + GUID + "}", IdentifierKind.GUID, GUID, None, "in braces"),
        ("c0913a7f2211443355667788" + "99aabbcc", IdentifierKind.GUID, GUID, None, "its octets in hex"),
        (f"<GUID={GUID}>", IdentifierKind.GUID, GUID, None, "as a search base"),
        ("<guid=c0913a7f221144335566778899aabbcc>", IdentifierKind.GUID, GUID, None, "as a base, in octets"),
        (f"objectGUID: {GUID}", IdentifierKind.GUID, GUID, None, "with its label"),
        (
            r"\c0\91\3a\7f\22\11\44\33\55\66\77\88\99\aa\bb\cc",
            IdentifierKind.GUID,
            GUID,
            None,
            "as in a filter",
        ),
        (f"GUID: {LETTERS}", IdentifierKind.GUID, LETTERS, None, "that begins with a letter"),
        ("0xc0913a7f221144335566778899aabbcc", IdentifierKind.GUID, GUID, None, "its octets, marked as hex"),
        ("C0-91-3A-7F-22-11-44-33-55-66-77-88-99-AA-BB-CC", IdentifierKind.GUID, GUID, None, "PowerShell"),
        ("c0 91 3a 7f 22 11 44 33 55 66 77 88 99 aa bb cc", IdentifierKind.GUID, GUID, None, "the editor"),
        (
            "0xc0 0x91 0x3a 0x7f 0x22 0x11 0x44 0x33 0x55 0x66 0x77 0x88 0x99 0xaa 0xbb 0xcc",
            IdentifierKind.GUID,
            GUID,
            None,
            "ADSI Edit",
        ),
        ("wJE6fyIRRDNVZneImaq7zA==", IdentifierKind.GUID, GUID, None, "Entra ID's immutable id"),
        ("objectGUID:: wJE6fyIRRDNVZneImaq7zA==", IdentifierKind.GUID, GUID, None, "a line of LDIF"),
        (f"{GUID}.", IdentifierKind.GUID, GUID, None, "at the end of a sentence"),
        (SID, IdentifierKind.SID, SID, None, "a SID"),
        (f"objectSid: {SID};", IdentifierKind.SID, SID, None, "with label and semicolon"),
        (SID.lower(), IdentifierKind.SID, SID, None, "in small letters"),
        (f"<SID={SID}>", IdentifierKind.SID, SID, None, "as a search base"),
        (f"<SID={SID_HEX}>", IdentifierKind.SID, SID, None, "as a base, in octets"),
        ("ada@contoso.test", IdentifierKind.ADDRESS, "ada@contoso.test", None, "an address"),
        ("SMTP:ada@contoso.test", IdentifierKind.ADDRESS, "ada@contoso.test", None, "a proxy address"),
        ("mailto:ada@contoso.test", IdentifierKind.ADDRESS, "ada@contoso.test", None, "a link"),
        ("<mailto:a@b.c|a@b.c>", IdentifierKind.ADDRESS, "a@b.c", None, "a link as Slack writes it"),
        (
            "Ada L <ada@contoso.test>",
            IdentifierKind.ADDRESS,
            "ada@contoso.test",
            None,
            "from a mail's header",
        ),
        ("o'brien+x@contoso.test", IdentifierKind.ADDRESS, "o'brien+x@contoso.test", None, "odd but legal"),
        ("jürgen@münchen.test", IdentifierKind.ADDRESS, "jürgen@münchen.test", None, "beyond ASCII"),
        (
            "X500:/o=Contoso/cn=ada",
            IdentifierKind.ADDRESS,
            "x500:/o=Contoso/cn=ada",
            None,
            "a legacy address",
        ),
        ("ada@contoso.test,", IdentifierKind.ADDRESS, "ada@contoso.test", None, "an address in a list"),
        ("ada@contoso.test.", IdentifierKind.ADDRESS, "ada@contoso.test", None, "an address in a sentence"),
        ("<ada@contoso.test>;", IdentifierKind.ADDRESS, "ada@contoso.test", None, "as Outlook lists it"),
        ("ada", IdentifierKind.ACCOUNT, "ada", None, "an account"),
        ("ada;", IdentifierKind.ACCOUNT, "ada", None, "an account in a list"),
        ("ada.", IdentifierKind.ACCOUNT, "ada.", None, "a full stop that an account may have"),
        (r"CONTOSO\ada,", IdentifierKind.ACCOUNT, "ada", "CONTOSO", "with its domain, in a list"),
        ("Domain Admins", IdentifierKind.ACCOUNT, "Domain Admins", None, "a group's account name has spaces"),
        ("PC-1$", IdentifierKind.ACCOUNT, "PC-1$", None, "a computer"),
        (r"CONTOSO\ada", IdentifierKind.ACCOUNT, "ada", "CONTOSO", "with its domain"),
        (r"contoso.test\ada.l", IdentifierKind.ACCOUNT, "ada.l", "contoso.test", "with its DNS domain"),
    ),
)
def test_forms_are_told_apart(text: str, kind: IdentifierKind, normal: str, domain: str | None) -> None:
    """Each form is known by its shape and brought into one normal form."""
    assert parse_identifier(text) == Identifier(kind, normal, domain)


@pytest.mark.parametrize(
    ("text", "error"),
    rows(
        ("", IdentifierEmpty, "nothing"),
        ("  \n", IdentifierEmpty, "blanks"),
        ("Lovelace, Ada", IdentifierMalformed, "a name as people say it"),
        (",;.", IdentifierMalformed, "nothing but punctuation"),
        ("wJE6fyIRRDNVZneImaq7zA=", IdentifierMalformed, "base64 that is none"),
        ("*", IdentifierMalformed, "a wildcard"),
        ("a*", IdentifierMalformed, "a wildcard at the end"),
        ("(objectClass=*)", IdentifierMalformed, "a filter"),
        ("<GUID=1234>", IdentifierMalformed, "too short a GUID"),
        ("<SID=S-1>", IdentifierMalformed, "too short a SID"),
        ("<SID=ff00>", IdentifierMalformed, "octets that are no SID"),
        ("S-1-5-99999999999", IdentifierMalformed, "more than 32 bits"),
        (f"<WKGUID={GUID},DC=c>", IdentifierMalformed, "a form that no person means"),
        ("a@b@c", IdentifierMalformed, "two at signs"),
        ("@contoso.test", IdentifierMalformed, "no name"),
        ("ada @contoso.test", IdentifierMalformed, "a space"),
        (r"A\B\c", IdentifierMalformed, "two backslashes"),
        ("x" * 300, IdentifierMalformed, "longer than an account name can be"),
        ("x" * 9000, IdentifierMalformed, "longer than anything"),
        ("CN=a,DC=c\\", IdentifierMalformed, "a name that ends in a backslash"),
        ("ad\u202ea", IdentifierUnsafe, "a direction override"),
        ("ada\x00", IdentifierUnsafe, "a NUL"),
        ("CN=a\nb,DC=c", IdentifierUnsafe, "a line feed inside"),
    ),
)
def test_what_names_nothing_is_refused(text: str, error: type[RequestError]) -> None:
    """A text of no known form is refused with a sentence and a remedy, never searched for."""
    with pytest.raises(error) as caught:
        parse_identifier(text)
    assert caught.value.message.endswith(".")
    assert caught.value.remedy


@given(st.text(max_size=80))
def test_any_text_is_an_identifier_or_a_refusal(text: str) -> None:
    """No text ends in anything but an identifier without control characters, or a refusal."""
    try:
        identifier = parse_identifier(text)
    except RequestError as error:
        assert "\u202e" not in error.message  # noqa: PT017 - both ends are checked
        return
    assert identifier.text
    assert identifier.text.isprintable() or any(ord(c) > 0x9F for c in identifier.text)
