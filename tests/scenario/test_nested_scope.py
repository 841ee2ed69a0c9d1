"""Scope groups with the members of their member groups, from the file to the details in Slack."""

from __future__ import annotations

from pathlib import Path

from pipeline.dn import from_directory
from pipeline.model import Outcome, ScopeEvidence, StageName
from sandbox.people import directory_entries
from sandbox.people.entry import GROUPS_DN
from tests.fixtures.scene import read, scene_with

SAMPLE = Path(__file__).parents[2] / "configurations" / "contoso.yaml"
ENTRIES = {entry.dn: entry for entry in directory_entries()}
SCOPE = f"""groups:
        - {{ dn: "CN=Nest 5,{GROUPS_DN}", nested: true }}
        - "CN=Nest 4,{GROUPS_DN}"
        - "CN=No such group,{GROUPS_DN}"
"""


def member_of(group: str) -> str:
    """Return the name of a person that a group lists."""
    members = (raw.decode() for raw in ENTRIES[f"CN={group},{GROUPS_DN}"].attributes["member"])
    return next(str(from_directory(dn)) for dn in members if not dn.startswith("CN=Nest"))


async def test_a_member_of_a_member_group_is_in_scope(tmp_path: Path) -> None:
    """Six groups deep is in, nobody's member is out, and the details say for each group by which way."""
    (tmp_path / "rules").mkdir()
    text = SAMPLE.read_text(encoding="utf-8")
    assert "groups: []\n" in text
    (tmp_path / "rules" / "contoso.yaml").write_text(text.replace("groups: []\n", SCOPE, 1), encoding="utf-8")
    async with scene_with({"FOURCHECK_CONFIGURATIONS": str(tmp_path / "rules")}, tmp_path) as scene:
        message = await scene.provision(f"preview {member_of('Nest 0')}")
        details = read(await scene.details(message, StageName.SCOPE))
        run = await scene.last_run()
        evidence = run.stage(StageName.SCOPE).evidence
        assert isinstance(evidence, ScopeEvidence)
        assert evidence.in_scope, evidence.why
        assert [group.passed for group in evidence.groups] == [True, False, False]
        assert "by nesting, through another group" in details
        assert "by nesting only" in details
        assert "no such group" in details

        await scene.provision(f"preview {scene.people['create']}")
        run = await scene.last_run()
        assert run.outcome is Outcome.SKIPPED
        summary = run.stage(StageName.SCOPE).summary
        assert "member of none of the groups" in summary
        assert "the directory has no such group" in summary, "it is no use to look for the group"
