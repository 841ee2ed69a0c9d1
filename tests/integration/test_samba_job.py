"""The whole job against a real Active Directory domain controller."""

from __future__ import annotations

import pytest

from bot.demo import people
from pipeline.model import ImportEvidence, Run, StageName
from tests.fixtures.scene import Scene

pytestmark = pytest.mark.xdist_group("samba")

VOLATILE = frozenset(
    {
        "whenCreated",
        "whenChanged",
        "uSNChanged",
        "uSNCreated",
        "badPwdCount",
        "pwdLastSet",
        "lastLogonTimestamp",
    }
)
"""What a domain controller sets by itself, at its own time."""

SPELLED = frozenset({"canonicalName", "distinguishedName"})
"""What Samba spells in its own way: other escapes of the same characters than Windows writes."""

ODD = frozenset({"msDS-User-Account-Control-Computed"})
"""What Samba computes for groups and contacts too, where it means nothing; Windows does not."""


async def test_everyone_ends_as_promised_on_samba(samba_scene: Scene) -> None:
    """The promised outcomes, with every object read from a real domain controller over verified LDAPS."""
    outcomes = {}
    for person in people():
        await samba_scene.provision(person["identifier"])
        outcomes[person["case"]] = str((await samba_scene.last_run()).outcome)

    assert outcomes == {person["case"]: person["expected"] for person in people()}


async def test_samba_and_the_sandbox_import_the_same(samba_scene: Scene, scene: Scene) -> None:
    """The embedded directory is a faithful stand-in: the same object gives the same import evidence."""
    differing = {}
    for person in people():
        imports = []
        for each in (samba_scene, scene):
            await each.provision(f"preview {person['identifier']}")
            imports.append(_imported(await each.last_run()))
        if imports[0] != imports[1]:
            differing[person["case"]] = [
                (name, imports[0].get(name), imports[1].get(name))
                for name in {*imports[0], *imports[1]}
                if imports[0].get(name) != imports[1].get(name)
            ]

    assert differing == {}


def _imported(run: Run) -> dict[str, object]:
    evidence = run.stage(StageName.IMPORT).evidence
    assert isinstance(evidence, ImportEvidence)
    attributes = {a.name: (a.values, a.decoded, a.total) for a in evidence.attributes}
    seen = {
        name: found
        for name, found in attributes.items()
        if name not in VOLATILE | SPELLED and (name not in ODD or "user" in evidence.object_class)
    }
    return {**seen, "(object)": run.object, "(class)": evidence.object_class}


async def test_other_identifiers_find_the_same_object(samba_scene: Scene) -> None:
    """GUID, SID, userPrincipalName and account name lead to the object that the DN leads to."""
    await samba_scene.provision(f"preview {samba_scene.people['unchanged']}")
    first = await samba_scene.last_run()
    assert first.object is not None
    assert first.target is not None
    upn = str(first.target.upn)

    for text in (first.object.guid, first.object.sid, upn):
        await samba_scene.provision(f"preview {text}")
        assert (await samba_scene.last_run()).object == first.object, text
