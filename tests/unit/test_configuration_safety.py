"""What a configuration may not say, because it would take a safety away."""

from __future__ import annotations

import pytest

from pipeline.configuration import parse_configuration

GOOD = """version: 1
name: contoso
base: DC=contoso,DC=test
privacy: {hidden: [info]}
objects:
  group:
    match: [onPremisesSecurityIdentifier, uniqueName]
    attributes:
      - { target: displayName, source: displayName }
    members: add
"""
UNSAFE = [
    ("uniqueName]", "displayName]", 7, "does not identify", "a name that many groups may have as a key"),
    ("[info]", "[adminDescription]", 4, "built-in exclusion", "hiding what an exclusion reads"),
    ("[info]", "[info], private: [-unicodePwd]", 4, "holds a secret", "showing a password"),
]


def test_the_text_that_the_cases_change_is_good() -> None:
    """Otherwise the cases below would show nothing."""
    assert parse_configuration(GOOD)[0] is not None


@pytest.mark.parametrize(("good", "bad", "line", "words", "reason"), UNSAFE, ids=[row[4] for row in UNSAFE])
def test_what_is_unsafe_is_refused(good: str, bad: str, line: int, words: str, reason: str) -> None:
    """Refused at load, with the line: never accepted and then ignored."""
    configuration, problems = parse_configuration(GOOD.replace(good, bad))

    assert configuration is None, reason
    assert [(p.line, words in p.message) for p in problems] == [(line, True)], problems
