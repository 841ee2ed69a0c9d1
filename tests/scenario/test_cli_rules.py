"""`fourcheck configuration …` and `fourcheck expression …`, as people and scripts use them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.cli import main
from sandbox.directory import DirectoryServer
from sandbox.people import directory_entries, interesting_people, tenant_seed
from sandbox.tenant import TenantServer

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "configurations" / "contoso.yaml"
SCHEMA = ROOT / "tests" / "fixtures" / "schemas" / "cloud-sync-default.json"
SHOWN = 'IIF(IsNullOrEmpty([mail]), Join(".", [givenName], [sn]) & "@contoso.test", ToLower([mail]))'
PEOPLE = {person.case: person.identifier for person in interesting_people()}

PLANTED = """version: 1
name: planted
base: DC=contoso,DC=test
colour: red
access: { look: { people: [T/U] } }
objects:
  user:
    scope:
      filters:
        - name: Staff
          all:
            - { attribute: employeeType, operator: EQUALS, value: Employee }
            - { attribute: employeeType, operator: IS NULL }
            - { attribute: title, operator: REGEX MATCH, value: '^(\\w+\\s?)+$' }
    match: [onPremisesImmutableId, userPrincipalName]
    attributes:
      - { target: userPrincipalName, source: sAMAccountName }
      - { target: accountEnabled, expression: 'IIF(BitAnd([userAccountControl]) = 0, True, False)' }
      - { target: displayName, expression: 'Frobnicate([cn])' }
      - { target: department, source: departement }
      - { target: department, source: department }
      - { target: companyName, source: displayName }
      - { target: proxyAddresses, source: proxyAddresses }
"""
FAULTS = {
    4: "unknown-setting",
    13: "dead-clause",
    14: "explosive-pattern",
    15: "match-not-mapped",
    16: "missing-required-target",
    18: "wrong-arity",
    19: "unknown-function",
    20: "unknown-attribute",
    21: "duplicate-target",
    22: "too-long",
    23: "unwritable-target",
}


@dataclass
class Said:
    """How a command ended and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it wrote, which has to be JSON and nothing else."""
        return json.loads(self.out)


Command = Callable[..., Said]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Command:
    """Give a function that runs a command in this process."""

    def command(*arguments: str) -> Said:
        try:
            status = main(arguments)
        except SystemExit as end:
            status = int(str(end.code))
        captured = capsys.readouterr()
        return Said(status, captured.out, captured.err)

    return command


# -- configuration -------------------------------------------------------------------------------------------


def test_the_sample_checks(run: Command) -> None:
    """What ships has no error and no warning, and the status says so."""
    said = run("configuration", "check", str(SAMPLE))

    assert said.status == 0
    assert "0 errors, 0 warnings" in said.out
    assert run("configuration", "check", str(SAMPLE.parent), "--json").json["ok"] is True


def test_planted_faults_are_all_named_with_their_lines(run: Command, tmp_path: Path) -> None:
    """More than ten faults in one file: one reading names every one, in words and as JSON."""
    path = tmp_path / "planted.yaml"
    path.write_text(PLANTED, encoding="utf-8")
    said = run("configuration", "check", str(path))
    found = {problem["line"]: problem["code"] for problem in run(
        "configuration", "check", "--json", str(path)).json["files"][0]["problems"]}  # fmt: skip

    assert said.status == 2
    assert found == FAULTS
    for line, code in FAULTS.items():
        assert any(
            text.startswith(f"{path}:{line}:") and f"[{code}]" in text for text in said.out.splitlines()
        )


def test_a_configuration_is_shown_by_name_and_by_file(
    run: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What a configuration means can be read, and its digest is the one that runs are stamped with."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOURCHECK_CONFIGURATIONS", str(SAMPLE.parent))
    by_name, by_file = run("configuration", "show", "CONTOSO"), run("configuration", "show", str(SAMPLE))
    as_json = run("configuration", "show", "contoso", "--json").json

    assert by_name.status == 0
    assert by_name.out == by_file.out
    assert as_json["digest"] in by_name.out
    assert "jobTitle" in by_name.out
    assert "  may override_scope nobody\n" in by_name.out
    assert as_json["objects"]["user"]["match"][0] == "onPremisesImmutableId"
    assert "employeeType" in as_json["reads"]
    assert run("configuration", "show", "fabrikam").status == 2


def test_a_schema_is_imported_and_exported(run: Command, tmp_path: Path) -> None:
    """YAML goes to standard output and notes to standard error; the way back is the very schema."""
    said = run("configuration", "import", str(SCHEMA), "--name", "tenant")
    path = tmp_path / "tenant.yaml"
    path.write_text(said.out, encoding="utf-8")
    back = run("configuration", "export", str(path))

    assert said.status == 0
    assert said.out.startswith("#")
    assert "note: " in said.err
    assert run("configuration", "check", str(path)).status == 0
    assert back.json == json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert "kept:" not in run("configuration", "import", str(SCHEMA), "--without-schema").out


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"synchronizationRules": []}'])
def test_what_is_no_schema_is_bad_usage(run: Command, tmp_path: Path, content: str) -> None:
    """A wrong file ends with 2 and a sentence, and writes nothing to standard output."""
    path = tmp_path / "schema.json"
    path.write_text(content, encoding="utf-8")
    said = run("configuration", "import", str(path))

    assert (said.status, said.out) == (2, "")
    assert said.err


# -- expression ----------------------------------------------------------------------------------------------


@pytest.fixture
def attributes(tmp_path: Path) -> str:
    """Give the option value that names a file of attributes."""
    path = tmp_path / "a.json"
    values = {"givenName": "Ada", "sn": "Lovelace", "title": "x", "objectGUID": {"$binary": "AAEC"}}
    path.write_text(json.dumps(values), encoding="utf-8")
    return f"@{path}"


def test_the_value_and_the_tree_are_shown(run: Command, attributes: str) -> None:
    """The value comes first; the tree says which branch was taken and where a null came from."""
    said = run("expression", SHOWN, "--attributes", attributes, "--trace")
    first, *tree = said.out.splitlines()

    assert (said.status, first) == (0, "Ada.Lovelace@contoso.test")
    assert any("✔ taken" in line and "Join" in line for line in tree)
    assert any("✘ not taken" in line and "ToLower" in line for line in tree)
    assert any("[mail]" in line and "the object has no value for it" in line for line in tree)


def test_the_outcome_as_json(run: Command, attributes: str) -> None:
    """Scripts read the value in its own type, and the tree where it is asked for."""
    plain = run("expression", SHOWN, "--attributes", attributes, "--json").json
    traced = run("expression", SHOWN, "--attributes", attributes, "--json", "--trace").json
    binary = run("expression", "[objectGUID]", "--attributes", attributes, "--json").json
    ignored = run("expression", "IgnoreThisFlow", "--json").json

    assert (plain["value"], plain["error"], "trace" in plain) == ("Ada.Lovelace@contoso.test", None, False)
    assert [child["taken"] for child in traced["trace"]["children"]] == [None, True, False]
    assert binary["value"] == {"$binary": "AAEC"}
    assert (ignored["value"], ignored["ignored"]) == (None, True)


def test_an_error_is_marked_under_the_text(run: Command, attributes: str) -> None:
    """An error of evaluation ends with 1, one of the text itself with 2; both point at the place."""
    failed = run("expression", 'Mid([title], "x", 2)', "--attributes", attributes)
    wrong = run("expression", "Trim([title], 2)")
    message, text, mark = failed.err.splitlines()

    assert (failed.status, wrong.status) == (1, 2)
    assert message == 'Mid: start must be a whole number, got "x" (column 14)'
    assert text[mark.index("^")] == '"'
    assert text[mark.index("^") :].startswith('"x"')
    as_json = run("expression", 'Mid([title], "x", 2)', "--attributes", attributes, "--json")
    assert as_json.status == 1
    assert as_json.json["error"]["column"] == 14
    assert run("expression", "").err == "the expression is empty (column 1)\n"


def test_a_failed_branch_is_shown_as_taken(run: Command, attributes: str) -> None:
    """The tree of an error leads to where it arose."""
    said = run("expression", 'IIF(True, Error("no title"), "x")', "--trace", "--attributes", attributes)
    whole, failed, passed = said.out.splitlines()

    assert said.status == 1
    assert whole.endswith("✘ failed")
    assert failed == '├── ✔ taken  Error("no title")  ✘ failed'
    assert passed == '└── ✘ not taken  "x"'


def test_a_value_does_not_steer_the_terminal(run: Command) -> None:
    """People write some of their own attributes: what comes out of them is shown and does nothing."""
    given = json.dumps({"a": "x\x1b]0;pwned\x07\u202e\u009b31m\r\ny", "m": ["\x1b[2J"]})
    for text in ("[a]", "[m]", "Error([a])", "IIF(True, [a], 1)"):
        said = run("expression", text, "--attributes", given, "--trace")
        assert not set(said.out + said.err) & set("\x1b\x07\u202e\u009b\r")
        assert "\\u001b" in said.out + said.err
    assert run("expression", "[a]", "--attributes", given).out.endswith("\\u009b31m\ny\n")
    as_json = run("expression", "[a]", "--attributes", given, "--json").json
    assert as_json["value"] == json.loads(given)["a"], "a script gets the very value"


def test_parameters_and_dialects_can_be_given(run: Command) -> None:
    """What a configuration would give is given by hand; the dialect decides what a call means."""
    assert (
        run("expression", "%Domain.FQDN%", "--parameter", "DomainFQDN=contoso.test").out == "contoso.test\n"
    )
    assert run("expression", 'LCase("A")', "--dialect", "connect").out == "a\n"
    assert run("expression", 'LCase("A")').status == 2


@pytest.mark.parametrize("given", ["@nowhere.json", "[1]", '{"a": {"b": 1}}', '{"a": {"$binary": "%"}}', "x"])
def test_attributes_that_are_none_are_bad_usage(run: Command, given: str) -> None:
    """Attributes that cannot be read end with 2 and a sentence."""
    said = run("expression", "[a]", "--attributes", given)

    assert said.status == 2
    assert "--attributes" in said.err
    assert "Errno" not in said.err
    assert "configuration" not in said.err


def test_a_file_in_another_encoding_is_told_in_words(run: Command, tmp_path: Path) -> None:
    """Notepad's “Unicode” is UTF-16: what to do about it is said, not what a codec thinks."""
    file = tmp_path / "a.yaml"
    file.write_bytes("version: 1".encode("utf-16"))
    said = run("configuration", "check", str(file))
    absent = run("configuration", "check", str(tmp_path / "b.yaml"))

    assert "it is not UTF-8; save it as UTF-8 [unreadable]" in said.out
    assert "b.yaml:1:1: error: cannot be read: No such file or directory [unreadable]" in absent.out


# -- against the sandbox -------------------------------------------------------------------------------------


@dataclass
class Stage:
    """Directory and tenant of the sandbox, and the settings that lead there. No Slack anywhere."""

    settings: dict[str, str]
    folder: Path
    command: Command
    monkeypatch: pytest.MonkeyPatch

    async def run(self, *arguments: str, configurations: Path | None = None) -> Said:
        """Run a command in a thread of this process, as if it were one of its own."""
        self.monkeypatch.chdir(self.folder)
        for name, value in self._environment(configurations).items():
            self.monkeypatch.setenv(name, value)
        return await asyncio.to_thread(self.command, *arguments)

    def _environment(self, configurations: Path | None) -> dict[str, str]:
        return {**self.settings, "FOURCHECK_CONFIGURATIONS": str(configurations or SAMPLE.parent)}

    async def run_apart(self, *arguments: str) -> Said:
        """Run a command in a process of its own."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", *arguments,
            env={**os.environ, **self._environment(None), "PYTHONPATH": str(ROOT)},
            cwd=self.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        return Said(process.returncode or 0, out.decode(), err.decode())


@pytest.fixture
async def stage(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """Start the sandbox's directory and tenant."""
    async with (
        TenantServer(seed=tenant_seed()) as tenant,
        DirectoryServer(entries=directory_entries()) as directory,
    ):
        store = {"FOURCHECK_STORE__URL": f"sqlite:///{tmp_path}/store.db"}
        settings = {**tenant.settings(), **directory.settings(), **store}
        yield Stage(settings, tmp_path, run, monkeypatch)


async def test_an_object_is_read_from_the_directory(stage: Stage) -> None:
    """With --object the values come from the directory and the parameters from its configuration."""
    said = await stage.run_apart(
        "expression", '[displayName] & " @ " & %Domain.FQDN%', "--object", PEOPLE["create"], "--json"
    )

    assert said.status == 0, said.err
    assert said.json["value"].endswith(" @ contoso.test")
    assert (said.json["object"], said.json["configuration"]) == (PEOPLE["create"], "contoso")


async def test_private_values_stay_hidden_and_secrets_unread(stage: Stage) -> None:
    """What a configuration calls private is used and not shown; what is hidden is never asked for."""
    private = await stage.run("expression", "[employeeID]", "--object", PEOPLE["create"], "--trace")
    secret = await stage.run("expression", "[unicodePwd]", "--object", PEOPLE["create"])
    missing = await stage.run("expression", "[cn]", "--object", "CN=Nobody,DC=contoso,DC=test")

    assert private.status == 0, private.err
    assert private.out.splitlines()[0] == "present, hidden"
    assert not any(character.isdigit() for character in private.out)
    assert secret.status == 2
    assert missing.status == 1


async def test_the_scope_is_overridden_on_request_and_for_a_preview_alone(stage: Stage) -> None:
    """Somebody out of scope is previewed with a warning that says so; a guard stays; no write goes past."""
    dn = PEOPLE["scope-filter"]
    usual = await stage.run("preview", dn, "--json")
    beyond = await stage.run("preview", dn, "--override-scope", "--json")
    guarded = await stage.run(
        "preview", "CN=krbtgt,CN=Users,DC=contoso,DC=test", "--override-scope", "--json"
    )
    written = await stage.run("provision", dn, "--override-scope")

    assert (usual.status, usual.json["outcome"]) == (1, "skipped")
    assert (beyond.status, beyond.json["outcome"]) == (0, "would_create"), beyond.out
    assert [s["status"] for s in beyond.json["stages"] if s["name"] == "scope"] == ["warning"]
    assert any("overridden on request" in warning for warning in beyond.json["warnings"])
    assert guarded.json["outcome"] == "skipped"
    assert written.status == 2


async def test_an_imported_schema_previews(stage: Stage, tmp_path: Path) -> None:
    """A schema of Graph, imported as it is, says what would become of the people of contoso."""
    folder = tmp_path / "rules"
    folder.mkdir()
    imported = await stage.run("configuration", "import", str(SCHEMA), "--name", "tenant")
    guards = "guards: { allow_create_in_synced_tenant: true }\n"
    (folder / "tenant.yaml").write_text(guards + imported.out, encoding="utf-8")
    checked = await stage.run("configuration", "check", str(folder))
    created, updated, elsewhere = [
        await stage.run("preview", PEOPLE[case], "--json", configurations=folder)
        for case in ("create", "update-three", "scope-ou")
    ]

    assert checked.status == 0, checked.out
    assert (created.status, created.json["outcome"]) == (0, "would_create"), created.out
    assert (updated.status, updated.json["outcome"]) == (0, "would_update"), updated.out
    assert elsewhere.json["outcome"] == "skipped"
    assert created.json["configuration"] == "tenant"
