"""Over thousands of random objects: the plan is what is written, and a second run finds nothing to do."""

from __future__ import annotations

import asyncio
import base64
import gc
import os
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.configuration import Configuration, load_configuration
from pipeline.model import ChangeKind, Mode, Outcome, Run
from pipeline.ports import DirectoryEntry
from tests.fixtures.in_process import Lab

SAMPLE = Path(__file__).parents[2] / "configurations" / "contoso.yaml"
OBJECTS = int(os.environ.get("CONVERGENCE_OBJECTS", "2000"))
"""Objects in all: some twenty seconds of a core."""
LABS = 100
"""Tenants they are spread over: a search walks through all that a tenant has."""
TEXTS = {
    "givenName": ("givenName", 64), "sn": ("surname", 64), "title": ("jobTitle", 128),
    "department": ("department", 64), "company": ("companyName", 64), "l": ("city", 128),
    "st": ("state", 128), "co": ("country", 128), "postalCode": ("postalCode", 40),
    "streetAddress": ("streetAddress", 1024), "physicalDeliveryOfficeName": ("officeLocation", 128),
    "telephoneNumber": ("businessPhones", 64), "mobile": ("mobilePhone", 64),
    "facsimileTelephoneNumber": ("faxNumber", 64), "employeeID": ("employeeId", 16),
}  # fmt: skip
WORDS = [
    "Ada",
    "O'Brien",
    "Åse",
    "Łukasz",
    "  padded  ",
    "a+b/c=",
    "%20",
    "100 %",
    "",
    "名前",
    "x" * 60,
    '"q"',
]


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    """Give the sample configuration."""
    return load_configuration(SAMPLE)


def text(dice: random.Random, limit: int) -> str:
    """Return some text, awkward as often as not, that fits."""
    return " ".join(dice.choice(WORDS) for _ in range(dice.randint(1, 3)))[:limit].strip()


def entry(dice: random.Random, number: int) -> DirectoryEntry:
    """Return a random employee of the directory."""
    guid = uuid.UUID(int=dice.getrandbits(128), version=4)
    account = f"p{number}"
    attributes: dict[str, tuple[bytes, ...]] = {
        "objectClass": (b"top", b"person", b"organizationalPerson", b"user"),
        "objectGUID": (guid.bytes_le,),
        "cn": (f"Person {number}".encode(),),
        "sAMAccountName": (account.encode(),),
        "userPrincipalName": (f"{account}@contoso.test".encode(),),
        "mail": (f"{account}@contoso.test".encode(),),
        "employeeType": (b"Employee",),
        "userAccountControl": (dice.choice([b"512", b"514"]),),
    }
    for name, (_, limit) in TEXTS.items():
        value = text(dice, limit)
        if dice.random() < 0.7 and value:
            attributes[name] = (value.encode(),)
    dn = f"CN=Person {number},OU=London,OU=Corp,OU=Contoso,DC=contoso,DC=test"
    return DirectoryEntry(dn, attributes, "dc1.contoso.test", datetime.now(UTC))


def twin(dice: random.Random, source: DirectoryEntry) -> dict[str, Any]:
    """Return a cloud user of this person, with whatever values of its own."""
    account = source.get("sAMAccountName")[0].decode()
    user: dict[str, Any] = {
        "id": str(uuid.UUID(int=dice.getrandbits(128), version=4)),
        "displayName": "Before",
        "mailNickname": account,
        "userPrincipalName": f"{account}@contoso.test",
        "accountEnabled": True,
        "onPremisesImmutableId": base64.b64encode(source.get("objectGUID")[0]).decode(),
    }
    for target, limit in TEXTS.values():
        value = text(dice, limit)
        if dice.random() < 0.5 and value:
            user[target] = [value] if target == "businessPhones" else value
    return user


def lab_of(configuration: Configuration, number: int, size: int) -> tuple[Lab, list[str]]:
    """Return a tenant with half of some random people in it, and all their names."""
    dice = random.Random(number)  # noqa: S311  # cases that can be repeated, no secret
    people = [entry(dice, n) for n in range(size)]
    domains = [{"id": "contoso.test", "isVerified": True, "isDefault": True}]
    seed = {"domains": domains, "users": [twin(dice, p) for p in people[::2]]}
    lab = Lab(configuration, seed)
    for person in people:
        lab.put(person)
    return lab, [person.dn for person in people]


def flat(body: dict[str, Any]) -> dict[str, Any]:
    """Return a request's values by attribute, those of complex ones by their path."""
    found: dict[str, Any] = {}
    for name, value in body.items():
        if isinstance(value, dict) and name != "passwordProfile":
            found |= {f"{name}.{inner}": one for inner, one in value.items()}
        else:
            found[name] = value
    return found


def planned(run: Run) -> dict[str, Any]:
    """Return what a run's plan writes, by attribute, as Graph takes it."""
    assert run.plan is not None
    lists = {"businessPhones", "otherMails"}
    return {
        c.attribute: list(c.after) if isinstance(c.after, tuple) else [] if c.attribute in lists else c.after
        for c in run.plan.written
        if not c.private and c.attribute != "passwordProfile"
    }


@pytest.fixture(scope="module", autouse=True)
def _settled_heap() -> Iterator[None]:
    """Keep the collector from walking, again and again, through all that other tests have loaded."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.parametrize("number", range(LABS))
async def test_the_plan_is_what_is_written_and_then_there_is_nothing_to_do(
    configuration: Configuration, number: int
) -> None:
    """What the tenant took is the plan, value by value; the object is then as the rules want it."""
    lab, people = lab_of(configuration, number, OBJECTS // LABS)
    for dn in people:
        before = len(lab.ledger.writes)
        run = await lab.run(dn)
        assert run.outcome in {Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED}, run.error
        sent: dict[str, Any] = {}
        for write in lab.ledger.writes[before:]:
            sent |= flat(write["body"])
        sent.pop("passwordProfile", None)
        hidden = {c.attribute for c in run.plan.written if c.private} if run.plan else set()
        assert {name: value for name, value in sent.items() if name not in hidden} == planned(run)

        again = await lab.run(dn)
        assert again.outcome is Outcome.UNCHANGED, again.plan
        assert again.plan is not None
        assert again.plan.count(ChangeKind.SAME) == len(again.plan.changes)
    assert len(lab.ledger.writes) == sum(1 for step in lab.shelf.journal if step[3] == "done")


async def test_previews_of_all_of_them_write_nothing(configuration: Configuration) -> None:
    """Sixty previews leave the ledger empty."""
    lab, people = lab_of(configuration, 99, 60)
    for dn in people:
        await lab.run(dn, mode=Mode.PREVIEW)
    assert lab.ledger.writes == []


FAULTS = [
    ("POST", "/users$", {"drop": "after"}),
    ("POST", "/users$", {"apply_then_status": 503}),
    ("PATCH", "/users/", {"drop": "after"}),
    ("PATCH", "/users/", {"drop": "before"}),
    ("PATCH", "/users/", {"apply_then_status": 504}),
    ("PATCH", "/users/", {"status": 503}),
]


async def lost_once(configuration: Configuration, number: int, fault: tuple[str, str, Any]) -> None:
    """Lose one answer of a run on a tenant of its own, and look at what is there in the end."""
    lab, people = lab_of(configuration, number, 2)
    method, path, then = fault
    lab.faults.add({"match": {"method": method, "path_regex": path}, "times": 1, "then": then})
    for dn in people:
        run = await lab.run(dn)
        assert run.outcome in {Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED}, run.error
        assert (await lab.run(dn)).outcome is Outcome.UNCHANGED
    creations = [w for w in lab.ledger.writes if w["method"] == "POST" and w["applied"]]
    assert len(creations) == len(people) // 2
    assert all(step[3] in {"done", "absent"} for step in lab.shelf.journal)


@pytest.mark.parametrize("fault", FAULTS, ids=[f"{m} {t}" for m, _, t in FAULTS])
async def test_no_lost_answer_makes_a_second_user_or_loses_a_change(
    configuration: Configuration, fault: tuple[str, str, Any]
) -> None:
    """In each of twenty tenants one answer is lost: every user is there once, as the rules want it."""
    await asyncio.gather(*(lost_once(configuration, number, fault) for number in range(20)))
