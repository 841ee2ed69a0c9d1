"""No text that a person can type widens a search, on any way to the directory.

Judged on the side of the server: the directory keeps each filter and each base as it understood them. What a
harmless text makes of a way is the measure; a hostile text may change the values in it and nothing else.
"""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from pipeline.dn import parse as parse_dn
from pipeline.errors import (
    ConfigurationInvalid,
    DirectoryError,
    IdentifierUnsafe,
    ObjectNotFound,
    RequestError,
)
from pipeline.identifiers import Identifier, IdentifierKind, parse_identifier
from sandbox.directory.dn import Name, parse, parse_bytes, prepare
from sandbox.directory.recording import Recorded
from sandbox.directory.requests import Filter
from sandbox.people import BASE_DN, BIND_DN
from sandbox.people.entry import child
from tests.security.conftest import Watched
from tests.security.hostile_identifiers import inputs, unsafe_inputs

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

CORP = f"OU=Corp,OU=Contoso,{BASE_DN}"
NOBODY = "00000000-1111-2222-3333-444444444444"
CONSTANTS = {b"TRUE", b"person", b"group", b"user", b"contact", b"crossRef", BASE_DN.encode()}
ME = parse_identifier(BIND_DN)

Shape = tuple[Any, ...]
Way = Callable[[str], Awaitable[object]]


def shape(node: Filter) -> Shape:
    """Return a filter without its values."""
    pieces = tuple(kind for kind, _ in node.pieces)
    return (node.kind, node.attribute.lower(), node.rule, pieces, *map(shape, node.parts))


def values(node: Filter) -> Iterator[bytes]:
    """Give a filter's values."""
    if node.kind not in {"and", "or", "not", "present"}:
        yield from (value for _, value in node.pieces) if node.pieces else (node.value,)
    for part in node.parts:
        yield from values(part)


def heard(record: Recorded) -> tuple[int, Shape]:
    """Return what a search was, but for its values."""
    return record.search.scope, shape(record.search.filter)


async def listen(watched: Watched, way: Way, text: str) -> tuple[list[Recorded], object]:
    """Go a way with a text; return what the server heard, and the answer or the error."""
    watched.server.record.clear()
    answer: object = None
    try:
        answer = await way(text)
    except (DirectoryError, RequestError, ConfigurationInvalid) as error:
        answer = error
    return list(watched.server.record.searches), answer


async def measure(watched: Watched, way: Way, *harmless: str) -> set[tuple[int, Shape]]:
    """Return what the server hears on a way of harmless texts."""
    found: set[tuple[int, Shape]] = set()
    for text in harmless:
        searches, _ = await listen(watched, way, text)
        found |= {heard(record) for record in searches}
    assert found
    return found


def expected_values(text: str) -> set[bytes]:
    """Return the values that a text may become in a filter: itself, as an address, as a deleted name."""
    forms = {text, f"smtp:{text}", f"{text}\nDEL:", text[:75]}
    return {form.encode() for form in forms}


def judge(searches: list[Recorded], allowed: set[tuple[int, Shape]], text: str) -> list[str]:
    """Return what is wrong with what the server heard."""
    wrong = [f"{text!r}: {record.describe()}" for record in searches if heard(record) not in allowed]
    fine = CONSTANTS | expected_values(text)
    wrong += [
        f"{text!r}: the value {value!r}"
        for record in searches
        for value in values(record.search.filter)
        if value not in fine
    ]
    return wrong


async def test_the_corpus_is_large_enough() -> None:
    """At least five hundred different texts, those with a character to refuse among them."""
    assert len(inputs()) >= 500
    assert len(unsafe_inputs()) == 77


async def test_unsafe_characters_are_refused_before_anything_is_sent(watched: Watched) -> None:
    """Controls and changes of direction never reach the directory from a typed text."""

    async def typed(text: str) -> object:
        return await watched.adapter.resolve(parse_identifier(text), ["cn"])

    for text in unsafe_inputs():
        searches, answer = await listen(watched, typed, text)
        assert isinstance(answer, IdentifierUnsafe), repr(text)
        assert searches == []
        searches, answer = await listen(watched, typed, f"CN={text},{CORP}")
        assert isinstance(answer, IdentifierUnsafe), repr(text)
        assert searches == []


@pytest.mark.parametrize(
    ("kind", "domain"),
    [
        (IdentifierKind.ACCOUNT, None),
        (IdentifierKind.ACCOUNT, "CONTOSO"),
        (IdentifierKind.ADDRESS, None),
    ],
    ids=str,
)
async def test_a_value_stays_a_value(watched: Watched, kind: IdentifierKind, domain: str | None) -> None:
    """An account name or address, even one that skipped parsing, is one value of the filter."""

    async def way(text: str) -> object:
        return await watched.adapter.resolve(Identifier(kind, text, domain), ["cn"])

    allowed = await measure(watched, way, "nobody", "x500:/o=nobody")
    wrong = []
    for text in inputs():
        searches, answer = await listen(watched, way, text)
        wrong += judge(searches, allowed, text)
        wrong += [] if isinstance(answer, ObjectNotFound) else [f"{text!r}: {answer!r}"]
        wrong += [f"{text!r}: {len(searches)} searches"] if not searches else []
    assert wrong == []


async def test_a_typed_text_is_what_its_form_says(watched: Watched) -> None:
    """What was typed is refused, or leads to exactly the object that it names, or to none."""

    async def way(text: str) -> object:
        return await watched.adapter.resolve(parse_identifier(text), ["objectGUID", "objectSid"])

    allowed = await measure(
        watched,
        way,
        "nobody",
        "x500:/o=x",
        "a@b.test",
        f"CN=x,{CORP}",
        f"CN={'x' * 80},{CORP}",
        NOBODY,
        "S-1-5-99",
    )
    allowed |= await measure(watched, way, "CONTOSO\\nobody", "DC=fabrikam,DC=test")
    wrong = []
    for text in inputs():
        searches, answer = await listen(watched, way, text)
        wrong += [f"{text!r}: {r.describe()}" for r in searches if heard(r) not in allowed]
        with contextlib.suppress(RequestError):
            identifier = parse_identifier(text)
            name = parse_dn(identifier.text) if identifier.kind is IdentifierKind.DN else None
            if not isinstance(answer, Exception):
                assert identifier.kind in {IdentifierKind.DN, IdentifierKind.GUID, IdentifierKind.SID}, text
                assert name is None or parse_dn(answer.dn) == name, text  # type: ignore[attr-defined]
            elif name is None:
                wrong += judge(
                    [
                        r
                        for r in searches
                        if identifier.kind in {IdentifierKind.ADDRESS, IdentifierKind.ACCOUNT}
                    ],
                    allowed,
                    identifier.text,
                )
    assert wrong == []


def based(searches: list[Recorded]) -> set[Name]:
    """Return the names that were read as such, the root DSE and the domain left out."""
    bases = (record.search.base for record in searches if record.search.scope == 0 and record.search.base)
    return {parse_bytes(base) for base in bases}


async def test_a_relative_name_stays_one(watched: Watched) -> None:
    """A value in a DN, escaped as RFC 4514 says, is that value below that container, and nothing else."""

    async def way(text: str) -> object:
        return await watched.adapter.resolve(parse_identifier(child("CN", text, CORP)), ["cn"])

    allowed = await measure(watched, way, "nobody", "x" * 80)
    corp = parse(CORP)
    wrong = []
    for text in inputs():
        if len(text) > 1_000:
            continue  # refused for its length, by itself
        searches, answer = await listen(watched, way, text)
        if isinstance(answer, RequestError):
            assert searches == []
            continue
        wrong += judge(searches, allowed, text)
        wrong += [] if isinstance(answer, ObjectNotFound) else [f"{text!r}: {answer!r}"]
        # where no object is, the containers above are looked for
        meant = (("cn", prepare(text) or " "), *corp)
        wrong += [
            f"{text!r}: {name}" for name in based(searches) if name not in {meant, corp, corp[1:], corp[2:]}
        ]
        wrong += [] if meant in based(searches) else [f"{text!r}: not asked for"]
    assert wrong == []


async def test_a_pasted_name_reads_one_object_at_most(watched: Watched) -> None:
    """A hostile text pasted into a DN as it is ends in a refusal, in nobody, or in what it plainly names."""

    async def way(text: str) -> object:
        return await watched.adapter.resolve(parse_identifier(f"CN={text},{CORP}"), ["cn"])

    allowed = await measure(watched, way, "nobody", "x" * 80, "x,DC=test")
    wrong = []
    for text in inputs():
        searches, answer = await listen(watched, way, text)
        wrong += [f"{text!r}: {r.describe()}" for r in searches if heard(r) not in allowed]
        wrong += [] if isinstance(answer, RequestError | DirectoryError) else [f"{text!r}: {answer!r}"]
    assert wrong == []


def squashed(text: str) -> str:
    """Return a text without what a search may drop: spaces and controls, and the operator of exactness."""
    dropped = {"Cc", "Zs", "Zl", "Zp"}
    return "".join(c for c in text.lstrip(" =") if unicodedata.category(c) not in dropped).upper()


async def test_a_search_for_people_stays_a_search_for_people(watched: Watched) -> None:
    """What is typed into the picker is a start of names and addresses: whoever is found starts so."""

    async def way(text: str) -> object:
        return await watched.adapter.search(text, limit=100)

    allowed = await measure(watched, way, "nobody", "nobody here", "CONTOSO\\nobody")
    wrong = []
    for text in inputs():
        searches, answer = await listen(watched, way, text)
        wrong += [f"{text!r}: {r.describe()}" for r in searches if heard(r) not in allowed]
        starts = {squashed(text), squashed(text.rpartition("\\")[2])}
        for value in (value for r in searches for value in values(r.search.filter) if value not in CONSTANTS):
            wrong += [] if squashed(value.decode()) in starts else [f"{text!r}: the value {value!r}"]
        assert isinstance(answer, tuple), f"{text!r}: {answer!r}"
        for entry in answer:
            have = {
                squashed(raw.decode(errors="replace")) for found in entry.attributes.values() for raw in found
            }
            if not any(value.startswith(start) for value in have for start in starts if start):
                wrong.append(f"{text!r} found {entry.dn}")
    assert wrong == []


async def test_a_group_s_name_stays_one(watched: Watched) -> None:
    """Members are those of exactly the group that is named, whatever its name holds."""

    async def way(text: str) -> object:
        return await watched.adapter.members(child("CN", text, CORP), ["cn"], 10)

    allowed = await measure(watched, way, "nobody")
    allowed |= await measure(watched, lambda _: watched.adapter.members(BIND_DN, ["cn"], 10), "")
    wrong = []
    for text in inputs():
        if len(text) > 1_000:
            continue
        searches, answer = await listen(watched, way, text)
        if isinstance(answer, RequestError):
            assert searches == []
            continue
        wrong += [f"{text!r}: {r.describe()}" for r in searches if heard(r) not in allowed]
        wrong += [] if isinstance(answer, ObjectNotFound) else [f"{text!r}: {answer!r}"]
        wrong += [
            f"{text!r}: {n}" for n in based(searches) if n != (("cn", prepare(text) or " "), *parse(CORP))
        ]
    assert wrong == []


async def test_a_scope_group_s_name_stays_one(watched: Watched) -> None:
    """The rule for nested groups is asked about exactly the group that is named."""
    guid = "<none>"
    for entry in watched.server._tree:
        if entry.dn == BIND_DN:
            guid = entry.get("objectGUID")[0].hex()

    async def way(text: str) -> object:
        return await watched.adapter.within(guid, [parse_dn(child("CN", text, CORP))])

    allowed = await measure(watched, way, "nobody")
    wrong = []
    for text in inputs():
        if len(text) > 1_000:
            continue
        searches, answer = await listen(watched, way, text)
        if isinstance(answer, RequestError):
            assert searches == []
            continue
        wrong += [f"{text!r}: {r.describe()}" for r in searches if heard(r) not in allowed]
        meant = (("cn", prepare(text) or " "), *parse(CORP))
        asked = {parse_bytes(v) for r in searches for v in values(r.search.filter) if r.search.filter.rule}
        wrong += [] if asked == {meant} else [f"{text!r}: {asked}"]
        wrong += [f"{text!r}: {answer!r}"] if getattr(answer, "nested", None) else []
    assert wrong == []


async def test_an_identity_stays_one(watched: Watched) -> None:
    """A text in the place of a GUID is refused, by the directory at the latest."""

    async def way(text: str) -> object:
        return await watched.adapter.within(text, [])

    allowed = await measure(watched, way, NOBODY)
    wrong = []
    for text in inputs():
        searches, answer = await listen(watched, way, text)
        wrong += [f"{text!r}: {r.describe()}" for r in searches if heard(r) not in allowed]
        wrong += [f"{text!r}: {r.describe()}" for r in searches if r.entries]
        wrong += [] if isinstance(answer, DirectoryError) else [f"{text!r}: {answer!r}"]
    assert wrong == []


async def test_an_attribute_s_name_is_one(watched: Watched) -> None:
    """A configuration's attribute is a plain name or refused: no option, no asterisk, no list."""

    async def way(text: str) -> object:
        return await watched.adapter.resolve(ME, [text])

    for text in inputs():
        searches, answer = await listen(watched, way, text)
        if isinstance(answer, ConfigurationInvalid):
            assert searches == []
        else:
            assert {name for r in searches if r.search.base for name in r.search.attributes} == {text}
            assert text.replace("-", "").isalnum()
            assert text.isascii()
