"""Distinguished names: what is accepted, what is refused, and when two names are one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import dn
from pipeline.dn import Ava, DistinguishedName, from_directory, parse, visible
from pipeline.errors import IdentifierEmpty, IdentifierMalformed, IdentifierUnsafe, RequestError

UNSAFE = [
    *range(0x20),
    *range(0x7F, 0xA0),
    0x061C,
    0x200E,
    0x200F,
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
]


def rows(*table: tuple[object, ...]) -> list[Any]:
    """Make a table's rows into parameters; the last column says why the row is there."""
    return [pytest.param(*row[:-1], id=str(row[-1])) for row in table]


@pytest.mark.parametrize(
    ("pasted", "strict"),
    rows(
        ("CN=Ada,DC=contoso,DC=test", "CN=Ada,DC=contoso,DC=test", "the strict form itself"),
        ("cn=Ada,dc=contoso", "CN=Ada,DC=contoso", "types in any case"),
        ('"CN=Ada,DC=contoso"', "CN=Ada,DC=contoso", "quoted as in PowerShell"),
        ("'CN=Ada,DC=contoso'", "CN=Ada,DC=contoso", "single quotes"),
        ("“CN=Ada,DC=contoso”", "CN=Ada,DC=contoso", "curly quotes that a chat makes"),
        ("`CN=Ada,DC=contoso`", "CN=Ada,DC=contoso", "backticks of a chat"),
        ("  CN=Ada,DC=contoso \r\n", "CN=Ada,DC=contoso", "blanks and a line end round it"),
        ("\ufeffCN=Ada,DC=contoso", "CN=Ada,DC=contoso", "a byte-order mark from a file"),
        ("CN = Ada , DC = contoso", "CN=Ada,DC=contoso", "spaces round = and comma"),
        ("CN=Ada; DC=contoso", "CN=Ada,DC=contoso", "semicolons of RFC 2253"),
        ("CN=Ada,DC=contoso,", "CN=Ada,DC=contoso", "a comma left over at the end"),
        ("DN: CN=Ada,DC=contoso", "CN=Ada,DC=contoso", "the label of a mail"),
        ("distinguishedName : CN=Ada,DC=contoso", "CN=Ada,DC=contoso", "a line of Format-List"),
        ("dn:: Q049QWRhLERDPWNvbnRvc28=", "CN=Ada,DC=contoso", "a base64 line of LDIF"),
        ("LDAP://CN=Ada,DC=contoso", "CN=Ada,DC=contoso", "an ADSI path"),
        ("LDAP://dc1.contoso.test:636/CN=Ada,DC=contoso", "CN=Ada,DC=contoso", "an ADSI path with a host"),
        ("GC://CN=Ada,DC=contoso", "CN=Ada,DC=contoso", "an ADSI path to the global catalogue"),
        ('DN: "CN=Ada,DC=contoso"', "CN=Ada,DC=contoso", "label and quotes"),
        ("CN=Doe, Jane,OU=X,DC=c", r"CN=Doe\, Jane,OU=X,DC=c", "a comma that no type follows"),
        ("CN=Doe; Jane,OU=X", r"CN=Doe\; Jane,OU=X", "a semicolon that no type follows"),
        ("CN=C++,OU=X", r"CN=C\+\+,OU=X", "plus signs that no type follows"),
        (r"CN=Doe\, Jane,OU=X", r"CN=Doe\, Jane,OU=X", "an escaped comma"),
        ('CN="Doe, Jane",OU=X', r"CN=Doe\, Jane,OU=X", "a quoted value of RFC 2253"),
        ('CN="a\\"b",OU=X', r"CN=a\"b,OU=X", "an escaped quote in a quoted value"),
        ('CN="Bob" Smith,OU=X', r"CN=\"Bob\" Smith,OU=X", "quotes that do not enclose the value"),
        ('CN=5" disk,OU=X', r"CN=5\" disk,OU=X", "a lone quote"),
        (r"CN=J\C3\BCrgen,OU=X", "CN=Jürgen,OU=X", "hex pairs of UTF-8"),
        (r"CN=a\2Cb,OU=X", r"CN=a\,b,OU=X", "a comma as a hex pair"),
        (r"CN=a\0ADEL:x,OU=X", r"CN=a\0ADEL:x,OU=X", "the line feed in a deleted object's name"),
        ("CN=#04024869,OU=X", "CN=Hi,OU=X", "a BER octet string"),
        ("CN=#0C024869,OU=X", "CN=Hi,OU=X", "a BER UTF8String"),
        ("CN=#1E0400480069,OU=X", "CN=Hi,OU=X", "a BER BMPString"),
        ("CN=#1,OU=X", r"CN=\#1,OU=X", "a hash that begins a name"),
        ("CN=#1234,OU=X", r"CN=\#1234,OU=X", "hex digits that are no BER"),
        ("CN=a#b,OU=X", "CN=a#b,OU=X", "a hash in the middle needs no escape"),
        ("CN=a=b,OU=X", r"CN=a\=b,OU=X", "an equals sign in a value"),
        (r"CN=a\/b,OU=X", "CN=a/b,OU=X", "ADSI's escaped slash"),
        (r"CN=\ a\ ,OU=X", r"CN=\ a\ ,OU=X", "escaped spaces at both ends"),
        ("CN=Ada\\ ", "CN=Ada\\ ", "an escaped space at the very end"),
        ("CN=a  b,OU=X", "CN=a  b,OU=X", "two spaces inside are kept"),
        ("2.5.4.3=Ada,2.5.4.11=X", "CN=Ada,OU=X", "types as object identifiers"),
        ("OID.2.5.4.3=Ada,oid.0.9.2342.19200300.100.1.25=c", "CN=Ada,DC=c", "the OID prefix of RFC 1779"),
        ("1.2.3.4=Ada,DC=c", "1.2.3.4=Ada,DC=c", "an identifier of an unknown type"),
        ("CN=Ada+UID=7,DC=c", "CN=Ada+UID=7,DC=c", "two pairs in one relative name"),
        ("CN=<b>,DC=c", r"CN=\<b\>,DC=c", "angle brackets"),
        ("CN=a\\\\b,DC=c", "CN=a\\\\b,DC=c", "a backslash"),
        ("CN=عربي,DC=c", "CN=عربي,DC=c", "letters of a right-to-left script"),
        ("CN=a\u200db\u200cc\u200bd,DC=c", "CN=a\u200db\u200cc\u200bd,DC=c", "joiners and zero-width space"),
        ("CN=e\u0301,DC=c", "CN=e\u0301,DC=c", "a combining mark"),
        ("CN=👩‍💻,DC=c", "CN=👩‍💻,DC=c", "an emoji"),
        ("CN=(*),DC=c", "CN=(*),DC=c", "filter characters mean nothing in a name"),
    ),
)
def test_pasted_forms_become_one_strict_form(pasted: str, strict: str) -> None:
    """Every form that people paste is read, and printed in one form that reads back as the same name."""
    read = parse(pasted)
    assert str(read) == strict
    assert parse(str(read)) == read


@pytest.mark.parametrize(
    ("text", "error"),
    rows(
        ("", IdentifierEmpty, "nothing"),
        (" \r\n ", IdentifierEmpty, "blanks only"),
        ('""', IdentifierEmpty, "quotes round nothing"),
        ("Ada", IdentifierMalformed, "no type"),
        ("=Ada,DC=c", IdentifierMalformed, "an empty type"),
        ("CN=,DC=c", IdentifierMalformed, "an empty value"),
        ("CN= ,DC=c", IdentifierMalformed, "a value of spaces"),
        ("C N=Ada,DC=c", IdentifierMalformed, "a space in a type"),
        ("CN=Ada\\,DC=c\\", IdentifierMalformed, "a backslash at the end"),
        (r"CN=CONTOSO\jane,DC=c", IdentifierMalformed, "a backslash before a letter"),
        (r"CN=\C3,DC=c", IdentifierMalformed, "half a UTF-8 character"),
        (r"CN=\FF\FE,DC=c", IdentifierMalformed, "octets that are no UTF-8"),
        ("CN=" + "a" * 9000, IdentifierMalformed, "longer than any name"),
        ("CN=a\ud800,DC=c", IdentifierMalformed, "half a surrogate pair"),
        ("<GUID=00000000-0000-0000-0000-000000000000>", IdentifierMalformed, "another kind of identifier"),
    ),
)
def test_what_is_no_name_is_refused(text: str, error: type[RequestError]) -> None:
    """What cannot be read is refused with a sentence, never guessed at."""
    with pytest.raises(error) as caught:
        parse(text)
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize("code", UNSAFE, ids=lambda code: f"U+{code:04X}")
def test_control_characters_are_refused_raw_and_accepted_as_hex_pairs(code: int) -> None:
    """A character that could make a name read as another is refused raw, taken escaped, and shown escaped."""
    with pytest.raises(IdentifierUnsafe) as caught:
        parse(f"CN=a{chr(code)}b,DC=c")
    assert f"U+{code:04X}" in caught.value.message
    pairs = "".join(f"\\{octet:02X}" for octet in chr(code).encode())
    read = parse(f"CN=a{pairs}b,DC=c")
    assert read.rdns[0][0].value == f"a{chr(code)}b"
    assert str(read) == f"CN=a{pairs}b,DC=c"
    assert read.rdn_value == f"a{pairs}b"


def test_a_name_from_the_directory_may_hold_what_people_may_not_type() -> None:
    """The directory's own name is read as it is, and printed without the character that misleads."""
    read = from_directory("CN=a\u202eb,DC=c")
    assert str(read) == r"CN=a\E2\80\AEb,DC=c"
    assert read == parse(r"CN=a\E2\80\AEb,DC=c")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    rows(
        ("CN=Ada,DC=c", "cn=ADA,dc=C", True, "case"),
        ("CN=Ada,DC=c", "2.5.4.3=ada,DC=c", True, "a type by its identifier"),
        ("ST=x,DC=c", "S=X,DC=c", True, "another name of a type"),
        ("CN=a b,DC=c", "CN=a  b,DC=c", True, "runs of spaces"),
        (r"CN=\ a,DC=c", "CN=a,DC=c", True, "spaces at the ends"),
        (r"CN=a\2Cb,DC=c", r"CN=a\,b,DC=c", True, "two ways to escape"),
        ("CN=a+UID=1,DC=c", "UID=1+CN=a,DC=c", True, "pairs of a relative name in another order"),
        ("CN=ÅSA,DC=c", "CN=åsa,DC=c", True, "case beyond ASCII"),
        ("CN=ß,DC=c", "CN=ss,DC=c", False, "characters match one to one"),
        ("CN=ı,DC=c", "CN=i,DC=c", False, "dotless i is its own letter"),
        ("CN=a,DC=c", "CN=a,OU=x,DC=c", False, "another place"),
        ("CN=a,DC=c", "OU=a,DC=c", False, "another type"),
        ("CN=a+UID=1,DC=c", "CN=a,DC=c", False, "one pair more"),
        ("CN=a\\,b,DC=c", "CN=a,CN=b,DC=c", False, "an escaped comma is no separator"),
    ),
)
def test_equality_goes_by_meaning(one: str, other: str, same: bool) -> None:  # noqa: FBT001 - a table's column
    """Names are equal when the directory would find the same object, whatever their text."""
    assert (parse(one) == parse(other)) is same
    assert not same or hash(parse(one)) == hash(parse(other))


@pytest.mark.parametrize(
    ("name", "above", "under"),
    rows(
        ("CN=a,OU=Corp,DC=c", "OU=Corp,DC=c", True, "directly below"),
        ("CN=a,OU=x,OU=Corp,DC=c", "ou=corp,dc=C", True, "deeper, in another case"),
        ("CN=a,2.5.4.11=Corp,DC=c", "OU=Corp,DC=c", True, "by object identifier"),
        (r"CN=a,OU=\43orp,DC=c", "OU=Corp,DC=c", True, "by hex pair"),
        ("OU=Corp,DC=c", "OU=Corp,DC=c", False, "nothing lies below itself"),
        ("CN=a,OU=Corp2,DC=c", "OU=Corp,DC=c", False, "a longer name that ends alike"),
        (r"CN=a\,OU=Corp,DC=c", "OU=Corp,DC=c", False, "an escaped comma that makes it look below"),
        (r"CN=a,OU=x\,OU=Corp,DC=c", "OU=Corp,DC=c", False, "the same one level up"),
        ("CN=a,OU=Corp+L=x,DC=c", "OU=Corp,DC=c", False, "a multi-valued relative name is another"),
        ("DC=c", "OU=Corp,DC=c", False, "above"),
        ("CN=a,OU=Corp,DC=other", "OU=Corp,DC=c", False, "another domain"),
    ),
)
def test_is_under_cannot_be_fooled_by_spelling(name: str, above: str, under: bool) -> None:  # noqa: FBT001 - a table's column
    """Whether an object lies in a container is decided on parsed values."""
    assert parse(name).is_under(parse(above)) is under


def test_the_parts_that_people_see() -> None:
    """Name, containers from the outside in, and domain are given unescaped and without the domain's parts."""
    read = parse(r"CN=Doe\, Jane,OU=R\26D,OU=London,OU=Corp,DC=Contoso,DC=test")
    assert read.rdn_value == "Doe, Jane"
    assert read.containers == ("Corp", "London", "R&D")
    assert read.domain == "contoso.test"
    assert str(read.parent) == "OU=R&D,OU=London,OU=Corp,DC=Contoso,DC=test"
    assert [str(a) for a in parse("CN=a,OU=b,DC=c").ancestors] == ["OU=b,DC=c", "DC=c"]
    assert parse("DC=c").parent is None


_values = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30).filter(
    lambda text: bool(dn.fold(text))
)
_types = st.sampled_from(["CN", "OU", "DC", "UID", "1.2.3", "X-Y"])
_names = st.lists(
    st.lists(st.builds(Ava, _types, _values), min_size=1, max_size=2).map(tuple), min_size=1, max_size=5
).map(lambda rdns: DistinguishedName(tuple(rdns)))


@given(_names)
def test_printing_and_reading_are_inverse(name: DistinguishedName) -> None:
    """Whatever characters a value holds, the printed name reads back to the very same values."""
    text = str(name)
    assert parse(text).rdns == name.rdns
    assert from_directory(text).rdns == name.rdns
    assert visible(text) == text


@given(st.text('CNOUDC=, \\"+;#ab', max_size=30))
def test_the_short_way_and_the_long_way_agree(text: str) -> None:
    """A name that the directory gave reads the same as one that was typed, wherever both can be read."""
    try:
        read = from_directory(text)
        typed = parse(text)
    except RequestError:
        return
    assert read.rdns == typed.rdns


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text ends in anything but a name or a refusal, and what is read prints to a fixed point."""
    try:
        read = parse(text)
    except RequestError:
        return
    assert parse(str(read)) == read
    assert str(parse(str(read))) == str(read)


@pytest.mark.parametrize(
    "text",
    [
        "CN=" + " " * 8000 + "x",
        "CN=a" + " ," * 4000,
        "CN=a" + "," * 8000,
        "DN:" * 2700,
        '"' * 8000,
        "CN=a" + " a" * 4000,
    ],
    ids=["spaces", "spaced commas", "commas", "labels", "quotes", "words"],
)
@pytest.mark.timeout(2)
def test_reading_time_stays_short(text: str) -> None:
    """A text made to be slow to read is read or refused at once."""
    try:
        parse(text)
    except RequestError as error:
        assert error.message  # noqa: PT017 - either end is right; that it ends is the rule
