"""Configuration files: read strictly, every problem named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.configuration import Configurations, load_configurations, parse_configuration
from pipeline.configuration.loading import load_configuration
from pipeline.dn import parse as parse_dn
from pipeline.errors import ConfigurationInvalid, ConfigurationOutside, ConfigurationUnknown

SAMPLE = Path(__file__).parents[2] / "configurations" / "contoso.yaml"
GOOD = """version: 1
name: contoso
base: DC=contoso,DC=test
objects:
  user:
    scope:
      filters:
        - name: Staff
          all:
            - { attribute: employeeType, operator: EQUALS, value: Employee }
    match: [userPrincipalName]
    attributes:
      - { target: userPrincipalName, source: userPrincipalName }
      - { target: displayName, expression: "Trim([displayName])" }
"""

BAD = [
    ("version: 1", "version: 2", 1, "version", "another version of the format"),
    ("name: contoso", "name: contoso\nname: other", 3, "twice", "a key that is here twice"),
    ("name: contoso", "name: contoso\ncolour: red", 3, "colour", "a key that does not exist"),
    ("name: contoso", "name: contoso\nclient_secret: x", 3, "secrets", "a secret in the file"),
    ("base: DC=contoso,DC=test\n", "", 1, "base", "a key that is missing"),
    ("base: DC=contoso,DC=test", "base: nonsense", 3, "distinguished name", "a base that is no DN"),
    ("operator: EQUALS", "operator: LIKE", 10, "LIKE", "an operator that does not exist"),
    ("value: Employee", "value: [a, b]", 10, "exactly one", "two values for an operator of one"),
    ("Trim([displayName])", "Trim([displayName]", 14, "column", "an expression that does not parse"),
    ("Trim([displayName])", "Frob([displayName])", 14, "Frob", "a function that does not exist"),
    ("Trim([displayName])", "Trim([unicodePwd])", 14, "unicodePwd", "a secret attribute in a mapping"),
    ("target: displayName", "target: userPrincipalName", 14, "mapped twice", "a target that is mapped twice"),
    (', expression: "Trim([displayName])"', "", 14, "exactly one", "a mapping from nothing"),
    ("objects:", "objects: [", 6, "YAML", "not YAML at all"),
    ("name: contoso", "name: &n contoso\ndirectory: *n", 3, "alias", "an alias"),
    ("name: contoso", "name: con\x01toso", 2, "U+0001", "a character that YAML has not"),
]


def test_the_sample_is_good() -> None:
    """The annotated sample that ships loads without a problem and has both kinds of object."""
    sample = load_configuration(SAMPLE)

    assert sample.name == "contoso"
    assert sorted(sample.objects) == ["group", "user"]


@pytest.mark.parametrize(("good", "bad", "line", "word", "reason"), BAD, ids=[row[4] for row in BAD])
def test_what_is_wrong_is_named_with_its_line(good: str, bad: str, line: int, word: str, reason: str) -> None:
    """A wrong file gives no configuration, and a problem that names the thing and where it stands."""
    assert good in GOOD
    parsed, problems = parse_configuration(GOOD.replace(good, bad, 1))

    assert parsed is None, reason
    assert [(p.line, word in p.message) for p in problems] == [(line, True)], problems
    assert "\n" not in problems[0].message, "one line a problem"


def test_every_problem_is_found_in_one_go() -> None:
    """Nobody wants to correct a file one message at a time."""
    text = GOOD.replace("EQUALS", "LIKE").replace("Trim(", "Frob(").replace("DC=contoso,DC=test", "nonsense")
    _, problems = parse_configuration(text)

    assert [p.line for p in problems] == [3, 10, 14]


def test_the_digest_is_over_the_meaning() -> None:
    """Comments, order and spelling leave the digest alone; a changed rule does not."""
    first, _ = parse_configuration(GOOD)
    spelled, _ = parse_configuration(
        "# a comment\n" + GOOD.replace("Trim([displayName])", "trim( [displayName] )")
    )
    changed, _ = parse_configuration(GOOD.replace("value: Employee", "value: Contractor"))

    assert first is not None
    assert spelled is not None
    assert changed is not None
    assert first.digest == spelled.digest
    assert first.digest != changed.digest
    assert first.digest.startswith("sha256:")


def _set(**bases: str) -> Configurations:
    found = []
    for name, base in bases.items():
        parsed, problems = parse_configuration(
            GOOD.replace("name: contoso", f"name: {name}").replace("DC=contoso,DC=test", base)
        )
        assert parsed is not None, problems
        found.append(parsed)
    return Configurations(tuple(found))


def test_the_longest_base_above_the_object_wins() -> None:
    """An object is treated by the rules that were written nearest to it, unless others are named."""
    configurations = _set(forest="DC=test", london="OU=London,DC=test", paris="OU=Paris,DC=test")
    ada = parse_dn("CN=Ada,OU=Engineering,OU=London,DC=test")

    assert configurations.select(None, ada).name == "london"
    assert configurations.select("PARIS", ada).name == "paris"
    with pytest.raises(ConfigurationUnknown, match=r"forest, london, paris"):
        configurations.select("berlin", ada)
    with pytest.raises(ConfigurationOutside):
        configurations.select(None, parse_dn("CN=Ada,DC=elsewhere"))


def test_a_folder_names_every_problem_of_every_file(tmp_path: Path) -> None:
    """Two bad files give two complaints, each with its file."""
    (tmp_path / "a.yaml").write_text(GOOD.replace("EQUALS", "LIKE"), encoding="utf-8")
    (tmp_path / "b.yaml").write_text(GOOD.replace("version: 1", "version: 3"), encoding="utf-8")

    with pytest.raises(ConfigurationInvalid) as caught:
        load_configurations(tmp_path)

    assert "a.yaml: line 10" in caught.value.message
    assert "b.yaml: line 1" in caught.value.message
