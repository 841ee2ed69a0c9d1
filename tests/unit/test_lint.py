"""Lint: each finding has its code, its severity and its line, and what is right is left in peace."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.configuration.lint import CODES, check_configuration, check_files
from pipeline.configuration.problems import Severity

SAMPLE = Path(__file__).parents[2] / "configurations" / "contoso.yaml"
GOOD = """version: 1
name: contoso
base: DC=contoso,DC=test
access: { look: { people: [T/U] } }
objects:
  user:
    scope:
      organizational_units: ["OU=Corp,DC=contoso,DC=test"]
      filters:
        - name: Staff
          all:
            - { attribute: employeeType, operator: EQUALS, value: Employee }
            - { attribute: mail, operator: ENDS_WITH, value: "@contoso.test" }
    match: [onPremisesImmutableId, mail]
    attributes:
      - { target: onPremisesImmutableId, expression: "ConvertToBase64([objectGUID])" }
      - { target: userPrincipalName, source: sAMAccountName }
      - { target: accountEnabled, expression: "IIF(BitAnd([userAccountControl], 2) = 0, True, False)" }
      - { target: displayName, source: displayName }
      - { target: mailNickname, source: sAMAccountName }
      - { target: mail, source: mail }
      - { target: department, source: department }
  group:
    match: [uniqueName]
    attributes:
      - { target: displayName, source: cn }
      - { target: mailNickname, source: sAMAccountName }
      - { target: mailEnabled, constant: false, apply: on_create }
      - { target: securityEnabled, constant: true }
"""
STAFF = "{ attribute: employeeType, operator: EQUALS, value: Employee }"
DEPARTMENT = "{ target: department, source: department }"
NOT_A = "{ attribute: employeeType, operator: NOT REGEX MATCH, value: '^A' }"
MAIL = "{ attribute: mail, operator: ENDS_WITH, value: '@contoso.test' }"
MATCH = "    match: [onPremisesImmutableId"
E, W, N = Severity.ERROR, Severity.WARNING, Severity.NOTE


def found(text: str) -> list[tuple[str, int, Severity]]:
    """Return code, line and severity of every finding."""
    return [(p.code, p.line, p.severity) for p in check_configuration(text).problems]


def test_what_is_right_is_left_in_peace() -> None:
    """A good file has no finding at all, and the sample that ships has nothing worse than a note."""
    assert found(GOOD) == []
    assert {p.severity for p in check_configuration(SAMPLE.read_text(encoding="utf-8")).problems} <= {N}


FAULTS = [
    # (what stands there, what stands there instead, code, line, severity)
    (DEPARTMENT, "{ target: department, expression: 'Frob([department])' }", "unknown-function", 22, E),
    (DEPARTMENT, "{ target: department, expression: 'Left([department])' }", "wrong-arity", 22, E),
    (DEPARTMENT, "{ target: department, expression: 'Left([department]' }", "expression-syntax", 22, E),
    (DEPARTMENT, "{ target: department, expression: '$x' }", "expression", 22, E),
    (DEPARTMENT, "{ target: department, source: departement }", "unknown-attribute", 22, W),
    (DEPARTMENT, "{ target: department, source: extensionAttribute16 }", "unknown-attribute", 22, W),
    (STAFF, STAFF.replace("employeeType", "emploieeType"), "unknown-attribute", 12, W),
    (DEPARTMENT, "{ target: departmant, source: department }", "unknown-target", 22, E),
    (DEPARTMENT, "{ target: Department, source: department }", "unknown-target", 22, E),
    (DEPARTMENT, "{ target: proxyAddresses, source: proxyAddresses }", "unwritable-target", 22, E),
    (DEPARTMENT, "{ target: createdDateTime, source: whenCreated }", "unwritable-target", 22, E),
    (DEPARTMENT, "{ target: passwordProfile, constant: x }", "unwritable-target", 22, E),
    (DEPARTMENT, "{ target: onPremisesExtensionAttributes, source: info }", "unwritable-target", 22, E),
    (DEPARTMENT, "{ target: members, source: member }", "unwritable-target", 22, E),
    (DEPARTMENT, "{ target: mail, source: mail }", "duplicate-target", 22, E),
    (DEPARTMENT, "{ target: department, expression: '%Site%' }", "unknown-parameter", 22, E),
    (DEPARTMENT, f"{{ target: department, constant: {'x' * 65} }}", "constant-refused", 22, E),
    (DEPARTMENT, f"{{ target: department, source: cn, default: {'x' * 65} }}", "constant-refused", 22, E),
    (DEPARTMENT, "{ target: department, source: displayName }", "too-long", 22, W),
    (DEPARTMENT, "{ target: department, expression: '[cn] & [sn]' }", "too-long", 22, W),
    (DEPARTMENT, "{ target: department, expression: 'Guid()' }", "changes-every-time", 22, W),
    (DEPARTMENT, "{ target: department, source: postOfficeBox }", "several-values", 22, W),
    (DEPARTMENT, "{ target: showInAddressList, source: cn }", "unwritable-target", 22, E),
    (DEPARTMENT, "{ target: manager, source: secretary }", "manager-source", 22, W),
    (DEPARTMENT, "{ target: department, source: unicodePwd }", "hidden-attribute", 22, E),
    (DEPARTMENT, "{ target: department, source: PasswordHash }", "hidden-attribute", 22, E),
    (
        DEPARTMENT,
        """{ target: department, expression: 'Replace([department], , "(a+)+$", , "x", , )' }""",
        "explosive-pattern",
        22,
        W,
    ),
    (
        '"IIF(BitAnd([userAccountControl], 2) = 0, True, False)"',
        '"[userAccountControl]"',
        "not-true-or-false",
        18,
        W,
    ),
    ("      - { target: mail, source: mail }\n", "", "match-not-mapped", 14, E),
    ("match: [onPremisesImmutableId, mail]", "match: [mail, mail]", "repeated-clause", 14, W),
    ("match: [onPremisesImmutableId, mail]", "match: [mail, displayName]", "weak-key", 14, E),
    ("match: [onPremisesImmutableId, mail]", "match: [mail, employeeId]", "match-not-mapped", 14, E),
    ("      - { target: displayName, source: displayName }\n", "", "missing-required-target", 15, E),
    ("constant: false, apply: on_create", "constant: false", "create-only", 28, N),
    (STAFF, f"{STAFF}\n            - {STAFF}", "repeated-clause", 13, W),
    (
        STAFF,
        f"{STAFF}\n            - {STAFF.replace('EQUALS', 'NOT EQUALS')}",
        "dead-clause",
        13,
        W,
    ),
    (
        STAFF,
        "{ attribute: mail, operator: IS NULL }",
        "dead-clause",
        13,
        W,
    ),
    (
        STAFF,
        f"{STAFF}\n            - {{ attribute: employeetype, operator: EQUALS, value: Guest }}",
        "dead-clause",
        13,
        W,
    ),
    (
        STAFF,
        f"{STAFF}\n            - {{ attribute: employeeType, operator: IS NOT NULL }}",
        "repeated-clause",
        13,
        W,
    ),
    (
        STAFF,
        f"{STAFF}\n            - {{ attribute: employeeType, operator: REGEX MATCH, value: ^Emp }}",
        "repeated-clause",
        13,
        W,
    ),
    (
        STAFF,
        f"{NOT_A.replace('NOT ', '')}\n            - {NOT_A}",
        "dead-clause",
        13,
        W,
    ),
    (STAFF, "{ attribute: employeeType, operator: EQUALS, value: '' }", "dead-clause", 12, W),
    (STAFF, "{ attribute: employeeType, operator: REGEX MATCH, value: 'Emp' }", "unanchored-pattern", 12, N),
    (STAFF, "{ attribute: title, operator: REGEX MATCH, value: '^(a+)+$' }", "explosive-pattern", 12, W),
    (STAFF, "{ attribute: title, operator: REGEX MATCH, value: '(' }", "bad-pattern", 12, E),
    (STAFF, "{ attribute: title, operator: GREATER THAN, value: x }", "wrong-operand", 12, E),
    (STAFF, "{ attribute: title, operator: LIKE, value: x }", "unknown-operator", 12, E),
    (
        MATCH,
        f"        - {{ name: A, all: [{MAIL}] }}\n        - {{ name: B, all: [{MAIL}] }}\n{MATCH}",
        "repeated-clause",
        15,
        W,
    ),
    ('["OU=Corp,DC=contoso,DC=test"]', '["OU=Corp,DC=fabrikam,DC=test"]', "dead-scope", 8, W),
    (
        '["OU=Corp,DC=contoso,DC=test"]',
        '["OU=A,OU=Corp,DC=contoso,DC=test", "OU=Corp,DC=contoso,DC=test"]',
        "dead-scope",
        8,
        W,
    ),
    ("access: { look: { people: [T/U] } }", "access: {}", "nobody-may", 4, N),
    ("name: contoso", "name: contoso\ncolour: red", "unknown-setting", 3, E),
    ("name: contoso", "name: contoso\nname: fabrikam", "duplicate-key", 3, E),
    ("name: contoso", "name: contoso\napi_token: x", "secret", 3, E),
    ("name: contoso\n", "", "missing-setting", 1, E),
    ("name: contoso", "name: [contoso]", "wrong-value", 2, E),
    ("base: DC=contoso,DC=test", "base: contoso.test", "bad-dn", 3, E),
    ("name: contoso", "name: contoso: x", "yaml", 2, E),
    (DEPARTMENT, "{ target: department }", "one-source", 22, E),
    ("match: [uniqueName]", "match: [uniqueName]\n    members: add", "", 0, E),
    ("match: [onPremisesImmutableId, mail]", "match: [mail]\n    members: add", "members-of-user", 15, E),
    (
        'organizational_units: ["OU=Corp,DC=contoso,DC=test"]',
        'groups: [{ dn: "CN=A", nested: maybe }]',
        "wrong-value",
        8,
        E,
    ),
]


@pytest.mark.parametrize(
    ("good", "bad", "code", "line", "severity"), FAULTS, ids=[f"{row[2]} {row[1][:40]}" for row in FAULTS]
)
def test_a_fault_is_found(good: str, bad: str, code: str, line: int, severity: Severity) -> None:
    """One fault put into a good file gives exactly its finding (and none where nothing is wrong)."""
    assert good in GOOD
    text = GOOD.replace(good, bad, 1)

    assert found(text) == ([(code, line, severity)] if code else [])


def test_every_code_is_shown_by_a_fault() -> None:
    """No code is without a test, and no finding without an entry in the table of codes."""
    of_several_files = {"unreadable", "duplicate-name", "two-defaults"}

    assert {row[2] for row in FAULTS} - {""} == set(CODES) - of_several_files


def test_every_finding_says_what_to_do() -> None:
    """A finding of lint itself ends in advice, and names nothing that the reader does not see."""
    for good, bad, code, _, _ in FAULTS:
        for problem in check_configuration(GOOD.replace(good, bad, 1)).problems:
            assert problem.code == code
            assert len(problem.message) > 15
            assert not problem.message.endswith(".")


COLUMNS = [
    ('      - { target: department, expression: "Left([department])" }', "Left(", "in double quotes"),
    ("      - { target: department, expression: 'Left([department])' }", "Left(", "in single quotes"),
    ("      - target: department\n        expression: Trim(Left([department]))", "Left(", "plain"),
    ("      - target: department\n        expression: |\n          Trim(\n            Left([department]))",
     "Left(", "in a block of lines"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "place", "reason"), COLUMNS, ids=[row[2] for row in COLUMNS])
def test_a_fault_in_an_expression_is_shown_where_it_stands(lines: str, place: str, reason: str) -> None:
    """Line and column point into the expression, however it is quoted."""
    text = GOOD.replace(f"      - {DEPARTMENT}", lines)
    before = text[: text.index(place)]
    wanted = (before.count("\n") + 1, len(before) - before.rfind("\n"))
    (problem,) = check_configuration(text).problems

    assert (problem.line, problem.column) == wanted, reason


def test_ten_faults_in_one_file_are_all_named() -> None:
    """Nothing that is wrong hides anything else: of form, of shape, of meaning, all in one reading."""
    text = GOOD
    for good, bad in (
        ("name: contoso", "name: contoso\ncolour: red"),
        ('"OU=Corp,DC=contoso,DC=test"', '"nowhere"'),
        (STAFF, STAFF.replace("EQUALS", "LIKE")),
        ("operator: ENDS_WITH", "operator: REGEX MATCH, colour: red"),
        ("match: [onPremisesImmutableId, mail]", "match: [onPremisesImmutableId, employeeId]"),
        ("ConvertToBase64([objectGUID])", "ConvertToBase65([objectGUID])"),
        ("BitAnd([userAccountControl], 2)", "BitAnd([userAccountControl])"),
        ("{ target: mail, source: mail }", "{ target: mail, source: mail, apply: sometimes }"),
        (DEPARTMENT, "{ target: proxyAddresses, source: proxyAdresses }"),
        ("      - { target: displayName, source: cn }\n", ""),
    ):
        assert good in text
        text = text.replace(good, bad, 1)

    problems = check_configuration(text).problems
    assert {
        ("unknown-setting", 3),
        ("bad-dn", 9),
        ("unknown-operator", 13),
        ("unknown-setting", 14),
        ("match-not-mapped", 15),
        ("unknown-function", 17),
        ("wrong-arity", 19),
        ("wrong-value", 22),
        ("unwritable-target", 23),
        ("unknown-attribute", 23),
        ("missing-required-target", 26),
    } <= {(p.code, p.line) for p in problems}


def test_an_attribute_of_the_own_schema_can_be_made_known() -> None:
    """A directory whose schema was extended lists its attributes once."""
    text = GOOD.replace(DEPARTMENT, "{ target: department, source: contosoCostCentre }")

    assert [code for code, _, _ in found(text)] == ["unknown-attribute"]
    assert found(f"known_attributes: [ContosoCostCentre]\n{text}") == []


def test_files_are_checked_beside_each_other(tmp_path: Path) -> None:
    """A name that is taken, a second default, a file that is no text: each is a finding with its file."""
    for name, text in (
        ("a", f"default: true\n{GOOD}"),
        ("b", f"default: true\n{GOOD}"),
        ("c", GOOD.replace("name: contoso", "name: other")),
    ):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "d.yaml").write_bytes(b"\xff\xfe")
    (tmp_path / "empty").mkdir()
    checked = check_files([tmp_path, tmp_path / "empty", tmp_path / "nowhere.yaml"])

    assert {f.path.name: [(p.code, p.line) for p in f.checked.problems] for f in checked} == {
        "a.yaml": [],
        "b.yaml": [("two-defaults", 1), ("duplicate-name", 3)],
        "c.yaml": [],
        "d.yaml": [("unreadable", 1)],
        "empty": [("unreadable", 1)],
        "nowhere.yaml": [("unreadable", 1)],
    }
