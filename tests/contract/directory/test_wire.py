"""What goes over the wire is LDAP (RFC 4511): ldap3 reads our answers, we read its requests."""

from __future__ import annotations

import random
import socket
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.operation.search import compile_filter, parse_filter
from ldap3.protocol.rfc4511 import LDAPMessage
from pyasn1.codec.ber import decoder, encoder

from sandbox.directory import FaultKind, ber
from sandbox.directory.requests import (
    Abandon,
    Bind,
    Extended,
    Filter,
    MalformedError,
    Refused,
    Search,
    Unbind,
    read_message,
)
from tests.fixtures.directories import Query, ask, connection, directory_in_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.directory import DirectoryServer

BIND = bytes.fromhex("30 0d 02 01 01 60 08 02 01 03 04 00 80 01 78")


@pytest.fixture(scope="module")
def directory() -> Iterator[DirectoryServer]:
    """Run one sandbox directory for the module."""
    with directory_in_thread() as server:
        yield server


def decoded(raw: bytes) -> Any:
    """Read a message with the classes of ldap3."""
    message, rest = decoder.decode(raw, asn1Spec=LDAPMessage())
    assert rest == b""
    return message


@given(
    st.integers(1, 2**31 - 1),
    st.text(max_size=40),
    st.lists(
        st.tuples(st.from_regex(r"[a-z][a-z0-9-]{0,12}", fullmatch=True), st.lists(st.binary(max_size=300)))
    ),
)
def test_entry_reads_back(message_id: int, dn: str, attributes: list[tuple[str, list[bytes]]]) -> None:
    """Any entry, whatever its names, values and sizes, reads back as it was."""
    message = decoded(ber.message(message_id, ber.entry(dn, attributes)))
    entry = message["protocolOp"].getComponent()
    assert int(message["messageID"]) == message_id
    assert bytes(entry["object"]).decode() == dn
    found = [
        (bytes(one["type"]).decode(), [bytes(value) for value in one["vals"]]) for one in entry["attributes"]
    ]
    assert found == attributes


@pytest.mark.parametrize("code", [0, 1, 3, 4, 8, 10, 12, 32, 34, 49, 50, 51, 52, 53, 80])
def test_result_reads_back(code: int) -> None:
    """Every result code with matched name, text and referral reads back."""
    raw = ber.message(7, ber.result(ber.SEARCH_DONE, code, "DC=x", "why\0", ["ldap://a/", "ldap://b/"]))
    done = decoded(raw)["protocolOp"].getComponent()
    assert int(done["resultCode"]) == code
    assert bytes(done["matchedDN"]) == b"DC=x"
    assert bytes(done["diagnosticMessage"]) == b"why\0"
    assert [bytes(url) for url in done["referral"]] == [b"ldap://a/", b"ldap://b/"]


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65_535, 65_536, 20_000_000])
def test_lengths(size: int) -> None:
    """Lengths are definite and as short as they can be."""
    raw = ber.octets(b"x" * size)
    value, rest = decoder.decode(raw)
    assert (len(bytes(value)), rest) == (size, b"")
    shortest = 1 if size < 128 else 1 + (size.bit_length() + 7) // 8
    assert len(raw) == 1 + shortest + size


@pytest.mark.parametrize("number", [0, 1, 127, 128, 255, 256, -1, -128, -129, 2**31 - 1, -(2**31)])
def test_integers(number: int) -> None:
    """Integers are two's complement in the fewest bytes."""
    value, _ = decoder.decode(ber.integer(number))
    assert int(value) == number


def ldap3_filter(text: str) -> bytes:
    """Encode a filter as ldap3 sends it."""
    parse: Any = parse_filter  # both lack annotations
    write: Any = compile_filter
    tree = parse(text, None, auto_escape=True, auto_encode=True, validator=None, check_names=False)
    return bytes(encoder.encode(write(tree.elements[0])))


def search_message(filter_bytes: bytes) -> bytes:
    """Wrap an encoded filter into a whole search request."""
    body = ber.octets("DC=x") + ber.integer(2, 0x0A) + ber.integer(0, 0x0A) + ber.integer(5) + ber.integer(6)
    body += ber.tlv(ber.BOOLEAN, b"\0") + filter_bytes + ber.tlv(ber.SEQUENCE, ber.octets("cn"))
    return ber.message(9, ber.tlv(0x63, body))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(cn=a)", Filter("equal", "cn", b"a")),
        ("(cn>=a)", Filter("greater", "cn", b"a")),
        ("(cn<=a)", Filter("less", "cn", b"a")),
        ("(cn~=a)", Filter("approx", "cn", b"a")),
        ("(cn=*)", Filter("present", "cn")),
        ("(!(cn=a))", Filter("not", parts=(Filter("equal", "cn", b"a"),))),
        ("(&(cn=a)(sn=b))", Filter("and", parts=(Filter("equal", "cn", b"a"), Filter("equal", "sn", b"b")))),
        ("(|(cn=a)(sn=*))", Filter("or", parts=(Filter("equal", "cn", b"a"), Filter("present", "sn")))),
        (
            "(cn=a*b*c)",
            Filter("substrings", "cn", pieces=(("initial", b"a"), ("any", b"b"), ("final", b"c"))),
        ),
        ("(cn:1.2.3:=a)", Filter("extensible", "cn", b"a", rule="1.2.3")),
        ("(cn=\\2a\\00)", Filter("equal", "cn", b"*\0")),
    ],
    ids=str,
)
def test_filters_of_ldap3(text: str, expected: Filter) -> None:
    """Every kind of filter that ldap3 writes is understood."""
    operation = read_message(search_message(ldap3_filter(text))).operation
    assert isinstance(operation, Search)
    assert operation.filter == expected
    assert (operation.base, operation.scope, operation.size_limit, operation.time_limit) == (b"DC=x", 2, 5, 6)
    assert operation.attributes == ("cn",)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (BIND, Bind(3, "", b"x")),
        (ber.message(2, ber.tlv(0x42, b"")), Unbind()),
        (ber.message(2, ber.tlv(0x50, b"\x07")), Abandon(7)),
        (ber.message(2, ber.tlv(0x77, ber.tlv(0x80, b"1.2.3"))), Extended("1.2.3")),
        (ber.message(2, ber.tlv(0x4A, b"CN=x")), Refused(ber.DELETE_RESPONSE)),
        (ber.message(2, ber.tlv(0x66, b"")), Refused(ber.MODIFY_RESPONSE)),
        (ber.message(2, ber.tlv(0x68, b"")), Refused(ber.ADD_RESPONSE)),
        (ber.message(2, ber.tlv(0x6C, b"")), Refused(ber.MODIFY_DN_RESPONSE)),
        (ber.message(2, ber.tlv(0x6E, b"")), Refused(ber.COMPARE_RESPONSE)),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, bytes) else "",
)
def test_requests(raw: bytes, expected: object) -> None:
    """Each request of the protocol is told from the others, and its answer has the right tag."""
    assert read_message(raw).operation == expected


@pytest.mark.parametrize(
    ("why", "raw"),
    [
        ("nothing", b""),
        ("not a sequence", b"\x04\x00"),
        ("no operation", ber.tlv(ber.SEQUENCE, ber.integer(1))),
        ("a response", ber.message(1, ber.result(ber.SEARCH_DONE, 0))),
        ("an unknown operation", ber.message(1, ber.tlv(0x7F, b""))),
        ("too short", BIND[:-1]),
        ("too long", BIND + b"\0"),
        ("length without end", b"\x30\x80" + BIND[2:] + b"\0\0"),
        ("length of five bytes", b"\x30\x85\0\0\0\0\x0d" + BIND[2:]),
        ("a text that is not UTF-8", ber.message(1, ber.tlv(0x77, ber.tlv(0x80, b"\xff")))),
        ("four scopes", search_message(b"\x87\x02cn").replace(b"\x0a\x01\x02", b"\x0a\x01\x03", 1)),
        ("a negation of two", search_message(ber.tlv(0xA2, ber.tlv(0x87, b"cn") * 2))),
        (
            "a substring match without parts",
            search_message(ber.tlv(0xA4, ber.octets("cn") + ber.tlv(0x30, b""))),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_malformed(why: str, raw: bytes) -> None:
    """What is not a request is refused, with a reason and without any other exception."""
    with pytest.raises(MalformedError):
        read_message(raw)
    assert why


def test_deep_filter_is_refused() -> None:
    """A filter nested a thousand deep is malformed, not a crash."""
    inner = ber.tlv(0x87, b"cn")
    for _ in range(1000):
        inner = ber.tlv(0xA2, inner)
    with pytest.raises(MalformedError, match="deep"):
        read_message(search_message(inner))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_malformed(raw: bytes) -> None:
    """No bytes whatever make the reader fail in another way."""
    with suppress(MalformedError):
        read_message(raw)


@given(st.data())
def test_any_damage_is_a_request_or_malformed(data: st.DataObject) -> None:
    """A damaged search request never makes the reader fail in another way."""
    raw = bytearray(search_message(ldap3_filter("(&(|(cn=a*b)(!(sn:1.2.3:=x)))(mail>=q))")))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with suppress(MalformedError):
        read_message(bytes(raw))


def raw_connection(directory: DirectoryServer) -> ssl.SSLSocket:
    """Open a verified TLS connection without any LDAP library."""
    host, _, port = directory.url.removeprefix("ldaps://").partition(":")
    context = ssl.create_default_context(cafile=directory.ca_file)
    plain = socket.create_connection((host, int(port)), timeout=10)
    return context.wrap_socket(plain, server_hostname="dc1.contoso.test")


@pytest.mark.parametrize("seed", range(6))
def test_garbage_ends_the_connection_and_nothing_else(directory: DirectoryServer, seed: int) -> None:
    """Garbage is answered by closing; the server goes on answering others."""
    garbage = b"GET / HTTP/1.1\r\n\r\n" if seed == 0 else random.Random(seed).randbytes(400)  # noqa: S311  # no secret
    with raw_connection(directory) as client:
        client.sendall(garbage)
        assert client.recv(100) == b""
    with connection(directory.settings()) as client:
        assert ask(client, Query("", "DC=contoso,DC=test", attributes=("dc",))).code == 0


def test_message_in_single_bytes(directory: DirectoryServer) -> None:
    """A request may arrive in any number of pieces."""
    with raw_connection(directory) as client:
        for byte in (
            BIND.replace(b"\x80\x01x", b"\x80\x00")
            .replace(b"\x30\x0d", b"\x30\x0c")
            .replace(b"\x60\x08", b"\x60\x07")
        ):
            client.sendall(bytes([byte]))
        answer = decoded(client.recv(100))
    assert int(answer["protocolOp"].getComponent()["resultCode"]) == 0


def root_dse_request(number: int) -> bytes:
    """Ask for the root DSE without attributes."""
    body = ber.octets("") + ber.integer(0, 0x0A) + ber.integer(0, 0x0A) + ber.integer(0) + ber.integer(0)
    body += ber.tlv(ber.BOOLEAN, b"\0") + ber.tlv(0x87, b"objectClass")
    return ber.message(number, ber.tlv(0x63, body + ber.tlv(ber.SEQUENCE, ber.octets("1.1"))))


def test_half_a_message(directory: DirectoryServer) -> None:
    """The fault cuts inside a message: what arrived promises more bytes than there are."""
    directory.faults.add(FaultKind.DROP_MID_ANSWER)
    received = b""
    with raw_connection(directory) as client:
        client.sendall(root_dse_request(1))
        while piece := client.recv(4096):
            received += piece
    assert 0 < len(received) < received[1] + 2


def test_requests_in_one_piece(directory: DirectoryServer) -> None:
    """Several requests in one packet are all answered, each under its number."""
    with raw_connection(directory) as client:
        client.sendall(b"".join(root_dse_request(number) for number in (11, 12, 13)))
        received = b""
        numbers: list[int] = []
        while len(numbers) < 6:
            received += client.recv(4096)
            while len(received) > 1 and len(received) >= received[1] + 2:
                message, received = received[: received[1] + 2], received[received[1] + 2 :]
                numbers.append(int(decoded(message)["messageID"]))
    assert sorted(numbers) == [11, 11, 12, 12, 13, 13]


def test_too_large_a_request_is_cut_off(directory: DirectoryServer) -> None:
    """A request beyond MaxReceiveBuffer is not even read."""
    with raw_connection(directory) as client:
        client.sendall(b"\x30\x84\x7f\xff\xff\xff")
        assert client.recv(100) == b""
