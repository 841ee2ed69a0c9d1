"""Two domains under one bot: each object is read where it is, and none is taken for its namesake."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pipeline.model import Run
from sandbox.directory import DirectoryServer
from sandbox.people import Entry
from tests.fixtures.scene import Scene, read, scene_with

FABRIKAM = "DC=fabrikam,DC=test"
READER = f"CN=reader,{FABRIKAM}"
PASSWORD = "Sandbox-only-reader-2!"
ADA = "CN=Ada Lovelace,OU=Engineering,OU=London,OU=Europe,OU=Corp,OU=Contoso,DC=contoso,DC=test"
RULES = """
version: 1
name: fabrikam
directory: partner
base: DC=fabrikam,DC=test
access: {preview: {people: [T0CONTOSO/U0MARIA, T0CONTOSO/U0STELLA]}}
objects:
  user:
    match: [userPrincipalName]
    attributes:
      - {target: userPrincipalName, source: userPrincipalName}
      - {target: displayName, source: displayName}
"""


def entry(dn: str, number: int, *classes: str, **attributes: str) -> Entry:
    """Make an object of the other domain."""
    kinds = tuple(kind.encode() for kind in ("top", *classes))
    guid = uuid.UUID(int=number).bytes
    sid = bytes.fromhex("010500000000000515000000010000000200000003000000") + number.to_bytes(4, "little")
    fixed = {"objectClass": kinds, "objectGUID": (guid,), "objectSid": (sid,)}
    return Entry(dn, {**fixed, **{key: (value.encode(),) for key, value in attributes.items()}})


def person(name: str, number: int, account: str) -> Entry:
    """Make a user of the other domain."""
    return entry(
        f"CN={name},{FABRIKAM}",
        number,
        "person",
        "organizationalPerson",
        "user",
        cn=name,
        name=name,
        displayName=name,
        sAMAccountName=account,
        userPrincipalName=f"{account}@fabrikam.test",
    )


ENTRIES = [
    entry(FABRIKAM, 4001, "domainDNS", dc="fabrikam"),
    person("reader", 4002, "reader"),
    person("Bob Ross", 4003, "bob.ross"),
    person("Ada Namesake", 4004, "adalovela322"),  # the account name that contoso's Ada has
]


@asynccontextmanager
async def two_domains(folder: Path) -> AsyncIterator[tuple[Scene, DirectoryServer]]:
    """Run contoso with a second directory, and a configuration for it."""
    sample = Path(__file__).parents[2] / "configurations" / "contoso.yaml"
    rules = folder / "rules"
    rules.mkdir()
    (rules / "contoso.yaml").write_text(sample.read_text(encoding="utf-8"), encoding="utf-8")
    (rules / "fabrikam.yaml").write_text(RULES, encoding="utf-8")
    async with DirectoryServer(entries=ENTRIES, passwords={READER: PASSWORD}, base_dn=FABRIKAM) as partner:
        there = {
            "URLS": partner.url,
            "BIND_DN": READER,
            "BIND_PASSWORD": PASSWORD,
            "BASE_DN": FABRIKAM,
            "CA_FILE": partner.settings()["FOURCHECK_DIRECTORY__CA_FILE"],
        }
        overrides = {f"FOURCHECK_DIRECTORIES__PARTNER__{key}": value for key, value in there.items()}
        async with scene_with({"FOURCHECK_CONFIGURATIONS": str(rules), **overrides}, folder) as scene:
            yield scene, partner


async def preview(scene: Scene, typed: str) -> Run:
    """Preview and return the run."""
    await scene.provision(f"preview {typed}")
    return await scene.last_run()


async def test_each_object_is_read_in_its_own_domain(tmp_path: Path) -> None:
    """By name, address, account, GUID and SID the right directory answers, by its own rules."""
    bob = f"CN=Bob Ross,{FABRIKAM}"
    async with two_domains(tmp_path) as (scene, _):
        for typed in (
            bob,
            "bob.ross@fabrikam.test",
            "bob.ross",
            r"FABRIKAM\bob.ross",
            uuid.UUID(int=4003).bytes.hex(),
            "S-1-5-21-1-2-3-4003",
        ):
            run = await preview(scene, typed)
            assert run.object is not None, (typed, run.error)
            assert (run.object.dn, run.configuration) == (bob, "fabrikam"), typed
        run = await preview(scene, r"CONTOSO\adalovela322")
        assert run.object is not None, run.error
        assert run.configuration == "contoso"


async def test_a_right_with_one_configuration_is_enough_to_ask(tmp_path: Path) -> None:
    """Where an address lies is known when it is read: the run is shown, with the rights of that place."""
    async with two_domains(tmp_path) as (scene, _):
        message = await scene.provision("preview bob.ross@fabrikam.test", user="U0STELLA")
        assert "Bob Ross" in message["text"]
        assert (await scene.last_run()).configuration == "fabrikam"

        refused = await scene.provision("preview ada.lovelace@contoso.test", user="U0STELLA")
        assert "You may not preview with the configuration “contoso”" in read(refused)

        answer = await scene.type(f"preview {ADA}", user="U0STELLA")
        assert "You may not preview" in str(answer["ack"]["body"]), "its place tells the configuration"


async def test_an_account_name_of_two_domains_is_not_guessed(tmp_path: Path) -> None:
    """A name that both domains know lists both; with the domain before it there is one."""
    async with two_domains(tmp_path) as (scene, _):
        run = await preview(scene, "adalovela322")
        assert run.error is not None
        assert run.error.code == "object_ambiguous"
        assert "CN=Ada Lovelace" in run.error.message
        assert "CN=Ada Namesake" in run.error.message

        run = await preview(scene, r"FABRIKAM\adalovela322")
        assert run.object is not None, run.error
        assert run.object.name == "Ada Namesake"


async def test_nobody_is_found_in_none_of_the_domains(tmp_path: Path) -> None:
    """What no domain has is not found, though one of them is not the one that was named."""
    async with two_domains(tmp_path) as (scene, _):
        for typed, code in (("nobody", "object_not_found"), (r"OTHER\nobody", "directory_referral")):
            run = await preview(scene, typed)
            assert run.error is not None
            assert run.error.code == code


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        pytest.param("adalovela322", False, id="the other domain may have one of that name"),
        pytest.param(
            ADA,
            True,
            id="its place is told",
        ),
    ],
)
async def test_one_domain_that_is_down(tmp_path: Path, typed: str, *, found: bool) -> None:
    """A domain that does not answer stops what may be about it and nothing else; its own setting is named."""
    async with two_domains(tmp_path) as (scene, partner):
        await partner.stop()
        run = await preview(scene, typed)

        assert (run.object is not None) is found
        if run.error is not None:
            assert run.error.code == "directory_unreachable"
            assert "FOURCHECK_DIRECTORIES__PARTNER__URLS" in run.error.remedy
