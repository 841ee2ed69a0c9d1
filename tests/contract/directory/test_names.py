"""The sandbox reads distinguished names by RFC 4514, whatever the code under test does."""

from __future__ import annotations

import pytest

from sandbox.directory.dn import InvalidNameError, is_below, parse, prepare
from sandbox.people import directory_entries
from sandbox.people.entry import escape


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("DC=contoso,DC=test", (("dc", "CONTOSO"), ("dc", "TEST"))),
        ("cn=Doe\\, Jane,dc=x", (("cn", "DOE, JANE"), ("dc", "X"))),
        ('CN="Doe, Jane",DC=x', (("cn", "DOE, JANE"), ("dc", "X"))),
        ("CN=Doe\\2C Jane,DC=x", (("cn", "DOE, JANE"), ("dc", "X"))),
        ("CN=\\E5\\B1\\B1\\E7\\94\\B0,DC=x", (("cn", "山田"), ("dc", "X"))),
        ("CN=\\20lead,DC=x", (("cn", "LEAD"), ("dc", "X"))),
        ("CN=trail\\ ,DC=x", (("cn", "TRAIL"), ("dc", "X"))),
        ("CN= loose ,DC=x", (("cn", "LOOSE"), ("dc", "X"))),
        ("CN=a  b,DC=x", (("cn", "A B"), ("dc", "X"))),
        ("CN=#0C036162C3,DC=x", None),
        ("CN=#0403616263,DC=x", (("cn", "ABC"), ("dc", "X"))),
        ("2.5.4.3=a,0.9.2342.19200300.100.1.25=x", (("cn", "A"), ("dc", "X"))),
        ("OID.2.5.4.3=a", (("cn", "A"),)),
        ("CN=a=b", (("cn", "A=B"),)),
        ("CN=#", None),
        ("CN=#zz", None),
        ("CN", None),
        ("=a", None),
        ("CN=", None),
        ("CN=a,", None),
        (",CN=a", None),
        ("CN=a;DC=x", None),
        ("CN=a+SN=b", None),
        ("CN=a<b", None),
        ('CN=a"b', None),
        ('CN="a', None),
        ("CN=a\\", None),
        ("CN=a\\q", None),
        ("CN=a\\4", None),
        ("CN=\\C3", None),
        ("C N=a", None),
    ],
)
def test_parse(text: str, expected: tuple[tuple[str, str], ...] | None) -> None:
    """Each form is read as RFC 4514 says, or refused."""
    if expected is None:
        with pytest.raises(InvalidNameError):
            parse(text)
    else:
        assert parse(text) == expected


def test_every_entry_parses_and_lies_below_the_domain() -> None:
    """The population's names are strict, and each one's parent is its name without the first part."""
    known = {parse(entry.dn) for entry in directory_entries()}
    base = parse("DC=contoso,DC=test")
    assert len(known) == len(directory_entries())
    assert all(name == base or (is_below(name, base) and name[1:] in known) for name in known)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a,b", "a\\,b"),
        ("a+b", "a\\+b"),
        ('a"b', 'a\\"b'),
        ("a\\b", "a\\\\b"),
        ("a<b>c;d", "a\\<b\\>c\\;d"),
        ("#a#", "\\#a#"),
        (" a ", "\\ a\\ "),
        ("a=b", "a\\=b"),
        ("a\0b", "a\\00b"),
        (" ", "\\ "),
        ("山田", "山田"),
    ],
)
def test_escape(value: str, written: str) -> None:
    """The population escapes what RFC 4514 asks for, and what it writes reads back."""
    assert escape(value) == written
    assert parse(f"CN={written}") == (("cn", prepare(value) or " "),)
