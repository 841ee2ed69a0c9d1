"""`fourcheck doctor`: each system looked at with the bot's own settings; nothing is changed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.cli_doctor import status_of
from bot.demo import environment
from bot.doctor import as_text, examine, examine_scopes
from bot.settings import load_settings
from pipeline.adapters.graph.doctor import examine_permissions
from pipeline.findings import Finding, Findings, Verdict
from sandbox.directory import DirectoryServer
from sandbox.people import BASE_DN, directory_entries, tenant_seed
from sandbox.tenant import TenantServer
from sandbox.workspace import WorkspaceServer
from tests.fixtures.scene import scene_with

SAMPLE = Path(__file__).parents[2] / "configurations" / "contoso.yaml"

READING = {"User.Read.All", "GroupMember.Read.All", "Domain.Read.All", "Organization.Read.All"}
WRITING = {"User.ReadWrite.All", "Group.ReadWrite.All"}


@dataclass
class Patient:
    """The sandbox, and what the doctor finds there with some settings replaced."""

    environment: Mapping[str, str]
    folder: Path
    tenant: TenantServer
    directory: DirectoryServer

    async def findings(self, **overrides: str) -> list[Finding]:
        """Look at everything."""
        given = {**self.environment, **{f"FOURCHECK_{name}": value for name, value in overrides.items()}}
        given = {name: value for name, value in given.items() if value}
        return await examine(load_settings(given, dotenv=self.folder / "none"))


@pytest.fixture
async def patient(tmp_path: Path) -> AsyncIterator[Patient]:
    """Give the three stand-ins, with no bot running."""
    async with (
        WorkspaceServer() as workspace,
        TenantServer(seed=tenant_seed()) as tenant,
        DirectoryServer(entries=directory_entries()) as directory,
    ):
        given = environment(workspace, tenant, directory, tmp_path, "socket")
        yield Patient(given, tmp_path, tenant, directory)


def one(findings: list[Finding], system: str, check: str) -> Finding:
    """Return the one finding of a check."""
    (found,) = [f for f in findings if (f.system, f.check) == (system, check)]
    return found


async def test_a_well_installation_has_nothing_failed(patient: Patient) -> None:
    """The sandbox with its own settings: every system is reached, and nothing failed."""
    findings = await patient.findings()

    assert [f for f in findings if f.verdict is Verdict.FAILED] == []
    assert {f.system for f in findings} == {"configurations", "directory main", "Entra ID", "Slack"}
    assert status_of(findings) == 0
    assert "0 failed" in as_text(findings)


async def test_nothing_is_written(patient: Patient) -> None:
    """Looking changes nothing in the tenant."""
    await patient.findings()

    assert patient.tenant.ledger == []


@pytest.mark.parametrize(
    ("where", "override", "says", "status"),
    [
        pytest.param(
            ("directory main", "name"),
            {"DIRECTORY__URLS": "ldaps://dc.invalid"},
            "does not resolve",
            3,
            id="name",
        ),
        pytest.param(
            ("directory main", "answer"),
            {"DIRECTORY__URLS": "ldaps://127.0.0.1:1"},
            "refused",
            3,
            id="refused",
        ),
        pytest.param(
            ("directory main", "trust"), {"DIRECTORY__CA_FILE": ""}, "certificate", 3, id="untrusted"
        ),
        pytest.param(
            ("directory main", "account"),
            {"DIRECTORY__BIND_PASSWORD": "not-it"},
            "password",
            3,
            id="password",
        ),
        pytest.param(
            ("directory main", "base"),
            {"DIRECTORY__BASE_DN": "OU=Nowhere,DC=contoso,DC=test"},
            "not there",
            1,
            id="base",
        ),
        pytest.param(
            ("directory main", "settings"), {"DIRECTORY__URLS": ""}, "is needed", 1, id="no-directory"
        ),
        pytest.param(("Entra ID", "sign-in"), {"ENTRA__CLIENT_SECRET": "not-it"}, "secret", 3, id="sign-in"),
        pytest.param(
            ("Entra ID", "settings"), {"ENTRA__CLIENT_SECRET": ""}, "exactly one", 1, id="no-credential"
        ),
        pytest.param(("Slack", "token"), {"SLACK__BOT_TOKEN": "xoxb-not-it"}, "invalid_auth", 3, id="token"),
        pytest.param(
            ("Slack", "requests"), {"SLACK__APP_TOKEN": "xapp-not-it"}, "invalid_auth", 3, id="app-token"
        ),
        pytest.param(
            ("Slack", "requests"), {"SLACK__APP_TOKEN": ""}, "app-level token", 1, id="no-app-token"
        ),
        pytest.param(
            ("Slack", "workspace"), {"SLACK__TEAM_IDS": "T0OTHER"}, "does not list", 1, id="workspace"
        ),
        pytest.param(("configurations", "files"), {"CONFIGURATIONS": "/nowhere"}, "/nowhere", 1, id="rules"),
    ],
)
async def test_each_fault_is_found_by_its_check(
    patient: Patient, where: tuple[str, str], override: dict[str, str], says: str, status: int
) -> None:
    """What is wrong is named by the check it belongs to, with what to do; the others go on."""
    findings = await patient.findings(**override)

    found = one(findings, *where)
    assert found.verdict is Verdict.FAILED
    assert says in found.says
    assert found.remedy
    assert {f.system.partition(" ")[0] for f in findings} == {"configurations", "directory", "Entra", "Slack"}
    assert status_of(findings) == status


async def test_slack_is_shown_the_newest_run_where_there_is_one(tmp_path: Path) -> None:
    """The templates that Slack judges are those of the last run, beside the running bot, and the form."""
    async with scene_with({}, tmp_path) as scene:
        world = scene.world
        given = environment(world.workspace, world.tenant, world.directory, tmp_path, "socket")
        settings = load_settings(given, dotenv=tmp_path / "none")
        none = one(await examine(settings), "Slack", "templates")
        await scene.provision(scene.people["update-three"])
        some = one(await examine(settings), "Slack", "templates")
        asked = [c["payload"] for c in world.workspace.calls() if c["method"] == "blocks.validate"]

    assert none.says == "Slack takes the 4 messages and views it was shown, and there is no run yet."
    assert some.says == "Slack takes the 10 messages and views it was shown, the newest run's among them."
    assert "Find an object" in json.dumps(asked[:4])
    assert all(name in json.dumps(asked[4:]) for name in ("Alan Turing was updated", "Action details"))


async def test_no_finding_tells_a_secret(patient: Patient) -> None:
    """Whatever fails, neither password, secret nor token stands in what is told."""
    secrets = {
        "DIRECTORY__BIND_PASSWORD": "Hush-directory-1",
        "ENTRA__CLIENT_SECRET": "Hush-tenant-2",
        "SLACK__BOT_TOKEN": "xoxb-Hush-slack-3",
    }

    told = json.dumps([f.document() for f in await patient.findings(**secrets)])

    assert "Hush" not in told


async def test_each_domain_controller_is_looked_at(patient: Patient) -> None:
    """A dead second controller is found although the first one answers."""
    first = patient.environment["FOURCHECK_DIRECTORY__URLS"]
    findings = await patient.findings(DIRECTORY__URLS=f"{first},ldaps://127.0.0.1:1")

    checks = [(f.check, f.verdict) for f in findings if f.system == "directory main"]
    assert ("account", Verdict.GOOD) in checks
    assert ("answer", Verdict.FAILED) in checks


@pytest.mark.parametrize(
    ("name", "password"),
    [
        (f"CN=Administrator,CN=Users,{BASE_DN}", "Sandbox-only-admin-1!"),
        ("Administrator@contoso.test", "Sandbox-only-admin-1!"),
    ],
    ids=["by DN", "by its implicit UPN"],
)
async def test_an_administrators_account_is_too_much(patient: Patient, name: str, password: str) -> None:
    """Rights to write are seen twice: by the groups, and by what could be written of somebody else."""
    passwords = {f"CN=Administrator,CN=Users,{BASE_DN}": password}
    async with DirectoryServer(entries=directory_entries(), passwords=passwords) as directory:
        findings = await patient.findings(
            DIRECTORY__URLS=directory.url,
            DIRECTORY__CA_FILE=str(directory.ca_file),
            DIRECTORY__BIND_DN=name,
            DIRECTORY__BIND_PASSWORD=password,
        )

    groups, writes = (one(findings, "directory main", check) for check in ("excess", "writes"))
    assert (groups.verdict, writes.verdict) == (Verdict.WARNING, Verdict.WARNING)
    assert "Domain Admins" in groups.says
    assert "Administrators" in groups.says
    assert "attributes of a user: accountExpires" in writes.says
    assert status_of(findings) == 0


async def test_a_reading_account_may_write_nothing(patient: Patient) -> None:
    """That nothing may be written is said of what was looked at; where nothing was, it is not said."""
    seen = one(await patient.findings(), "directory main", "writes")
    unseen = one(
        await patient.findings(DIRECTORY__BASE_DN=f"CN=Builtin,{BASE_DN}"), "directory main", "writes"
    )

    assert seen.verdict is Verdict.GOOD
    assert unseen.verdict is Verdict.UNKNOWN


async def test_a_slack_app_is_not_needed_for_the_command_line(patient: Patient) -> None:
    """Without Slack settings the rest is looked at, and the lack is no failure."""
    findings = await patient.findings(SLACK__BOT_TOKEN="", SLACK__APP_TOKEN="")

    assert one(findings, "Slack", "settings").verdict is Verdict.UNKNOWN
    assert status_of(findings) == 0


async def test_an_attribute_that_nobody_shows_is_named(patient: Patient, tmp_path: Path) -> None:
    """An attribute of a rule that no object has is told: either nobody has it or it may not be read."""
    folder = tmp_path / "rules"
    folder.mkdir()
    sample = await asyncio.to_thread(SAMPLE.read_text, encoding="utf-8")
    (folder / "c.yaml").write_text(
        sample.replace("Trim([department])", "Trim([personalTitle])"), encoding="utf-8"
    )

    found = one(await patient.findings(CONFIGURATIONS=str(folder)), "directory main", "read")

    assert found.verdict is Verdict.UNKNOWN
    assert "personalTitle" in found.says


@pytest.mark.parametrize(
    ("roles", "writes", "verdicts", "named"),
    [
        pytest.param(READING, False, ("good", "good", "good"), "", id="least-for-reading"),
        pytest.param(READING | WRITING, True, ("good", "good", "good"), "", id="least-for-writing"),
        pytest.param(WRITING, True, ("failed", "good", "good"), "Domain.Read.All", id="reading-incomplete"),
        pytest.param(READING, True, ("good", "failed", "good"), "Group.ReadWrite.All", id="writing-missing"),
        pytest.param(
            READING | WRITING, False, ("good", "good", "warning"), "User.ReadWrite.All", id="too-soon"
        ),
        pytest.param(
            READING | {"RoleManagement.ReadWrite.Directory"},
            False,
            ("good", "good", "warning"),
            "RoleManagement.ReadWrite.Directory",
            id="never-needed",
        ),
        pytest.param(
            {"Directory.ReadWrite.All"},
            True,
            ("good", "good", "warning"),
            "User.ReadWrite.All",
            id="too-broad",
        ),
        pytest.param(set(), False, ("failed", "good", "good"), "admin consent", id="none"),
    ],
)
def test_permissions_are_right_missing_or_excess(
    roles: set[str], *, writes: bool, verdicts: tuple[str, ...], named: str
) -> None:
    """Each permission is judged by the mode: the least that is needed is right, more is excess."""
    found = examine_permissions(frozenset(roles), writes=writes)

    assert tuple(str(f.verdict) for f in found) == verdicts
    assert named in " ".join(f"{f.says} {f.remedy}" for f in found if f.verdict is not Verdict.GOOD)


@pytest.mark.parametrize(
    ("granted", "scopes", "excess"),
    [
        pytest.param({"commands", "chat:write", "chat:write.public"}, "good", "good", id="as-the-manifest"),
        pytest.param({"commands", "chat:write"}, "warning", "good", id="without-public-channels"),
        pytest.param({"commands"}, "failed", "good", id="cannot-post"),
        pytest.param(
            {"commands", "chat:write", "chat:write.public", "channels:history"},
            "good",
            "warning",
            id="reads-along",
        ),
        pytest.param(
            {"commands", "chat:write", "chat:write.public", "users:read"},
            "good",
            "warning",
            id="reads-people",
        ),
    ],
)
def test_scopes_are_right_missing_or_excess(granted: set[str], scopes: str, excess: str) -> None:
    """The token's scopes are held against the manifest's."""
    found = {f.check: str(f.verdict) for f in examine_scopes(frozenset(granted))}

    assert found == {"scopes": scopes, "excess": excess}


@pytest.mark.parametrize(
    ("ahead", "verdict"), [(0, "good"), (-59, "good"), (61, "warning"), (-299, "warning"), (300, "failed")]
)
def test_a_clock_is_judged_by_what_sign_in_bears(ahead: float, verdict: str) -> None:
    """From five minutes on sign-in is refused; from one minute on it is worth a word."""
    assert str(Findings("x").clock("it", ahead).verdict) == verdict
