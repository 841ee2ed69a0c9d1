"""What is decided of an object is decided on the name that the directory returned, whatever was typed."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from bot.wiring import Silence
from pipeline import Request, preview
from pipeline.dn import parse
from pipeline.ids import ActorId, new_run_id
from pipeline.model import Mode, Outcome, StageName, StageStatus
from sandbox.people import BASE_DN, directory_entries, interesting_people
from sandbox.people.entry import NOT_SYNCED_DN
from tests.fixtures.scene import scene_with

OUTSIDE = next(one.identifier for one in interesting_people() if one.case == "scope-ou")
ENTRY = next(entry for entry in directory_entries() if entry.dn == OUTSIDE)
GUID = ENTRY.attributes["objectGUID"][0]
TEXT = str(uuid.UUID(bytes_le=GUID))
SID = ENTRY.attributes["objectSid"][0]
CN = OUTSIDE.partition(",")[0].removeprefix("CN=")
INSIDE = "OU=Engineering,OU=London,OU=Europe,OU=Corp,OU=Contoso"

ALIASES = {
    "the name": OUTSIDE,
    "in lower case": OUTSIDE.lower(),
    "in upper case": OUTSIDE.upper(),
    "with spaces": OUTSIDE.replace(",", " , ").replace("=", " = "),
    "with semicolons": OUTSIDE.replace(",", ";"),
    "in quotes": f'"{OUTSIDE}"',
    "a quoted value": f'CN="{CN}",{NOT_SYNCED_DN}',
    "hex pairs": f"CN={''.join(f'{chr(92)}{octet:02x}' for octet in CN.encode())},{NOT_SYNCED_DN}",
    "types as identifiers": OUTSIDE.replace("CN=", "2.5.4.3=").replace("OU=", "2.5.4.11="),
    "types with the prefix of old": OUTSIDE.replace("CN=", "OID.2.5.4.3="),
    "a value as BER": f"CN=#0c{len(CN):02x}{CN.encode().hex()},{NOT_SYNCED_DN}",
    "a space escaped": OUTSIDE.replace(" ", "\\20", 1),
    "GUID as text": TEXT,
    "GUID in braces": f"{{{TEXT.upper()}}}",
    "GUID as octets": GUID.hex(),
    "GUID as a name": f"<GUID={TEXT}>",
    "GUID octets as a name": f"<GUID={GUID.hex().upper()}>",
    "SID as a name, in octets": f"<SID={SID.hex()}>",
    "UPN": str(ENTRY.text("userPrincipalName")),
    "mail, with its prefix": f"smtp:{ENTRY.text('mail')}",
    "account": str(ENTRY.text("sAMAccountName")),
    "account of the domain": f"CONTOSO\\{ENTRY.text('sAMAccountName')}",
}

PRETENCES = {
    "the units in scope, written after it": f"{OUTSIDE},{INSIDE},{BASE_DN}",
    "a unit in scope as a second value": f"CN={CN}+OU=Corp,{NOT_SYNCED_DN}",
    "a GUID with units in scope behind": f"<GUID={TEXT}>,{INSIDE},{BASE_DN}",
    "a GUID with a name in scope behind": f"<GUID={TEXT}>;CN={CN},{INSIDE},{BASE_DN}",
    "a SID with a name in scope behind": f"<SID={SID.hex()}>;CN={CN},{INSIDE},{BASE_DN}",
    "a well-known container": f"<WKGUID=a9d1ca15768811d1aded00c04fd8d5cd,{BASE_DN}>",
    "its own name in scope": f"CN={CN},{INSIDE},{BASE_DN}",
    "units escaped into one value": f"CN={CN}\\,OU=Engineering,{INSIDE},{BASE_DN}",
}


async def test_no_alias_gets_round_the_scope(tmp_path: Path) -> None:
    """An object outside the units in scope is out of scope by each of its names, and told by its real one."""
    async with scene_with({}, tmp_path) as scene:
        services = scene.world.bot.systems.services(Silence())

        async def look(text: str) -> object:
            run = await preview(Request(new_run_id(), Mode.PREVIEW, text, ActorId("cli:test")), services)
            scope = next(stage for stage in run.stages if stage.name is StageName.SCOPE)
            assert run.object is not None, text
            return run.outcome, scope.status, parse(run.object.dn) == parse(OUTSIDE)

        for why, text in ALIASES.items():
            assert await look(text) == (Outcome.SKIPPED, StageStatus.SKIPPED, True), why
        for why, text in PRETENCES.items():
            run = await preview(Request(new_run_id(), Mode.PREVIEW, text, ActorId("cli:test")), services)
            assert run.outcome in {Outcome.REFUSED, Outcome.FAILED}, why
            assert run.plan is None, why
    assert len(ALIASES) + len(PRETENCES) >= 30


@pytest.mark.parametrize("name", ["units escaped into one value", "its own name in scope"])
def test_the_pretences_look_like_names_in_scope(name: str) -> None:
    """What is typed lies below the units in scope by its text: so a decision on text would let it pass."""
    assert parse(PRETENCES[name]).is_under(parse(f"OU=Corp,OU=Contoso,{BASE_DN}"))
