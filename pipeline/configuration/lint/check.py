"""Check a configuration: everything that loading refuses, and everything that is most likely not meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pipeline.configuration.lint.mappings import check_rules
from pipeline.configuration.lint.report import Report
from pipeline.configuration.lint.scope import check_scope
from pipeline.configuration.loading import Reading, read_configuration
from pipeline.configuration.problems import Problem, Severity, in_order
from pipeline.model import TargetKind

CODES: Final[Mapping[str, str]] = {
    # what loading refuses
    "unreadable": "the file cannot be read, or a folder has no .yaml file",
    "duplicate-name": "two configurations have one name",
    "two-defaults": "more than one configuration is the default",
    "yaml": "the text is not YAML, or a value in it cannot be read",
    "duplicate-key": "a setting is given twice",
    "secret": "a password, key or token stands in the file",
    "unknown-setting": "there is no setting of that name",
    "missing-setting": "a setting that is needed is not there",
    "wrong-value": "a setting has a value that it cannot take",
    "bad-dn": "a distinguished name cannot be read",
    "unknown-operator": "a scope filter has no such operator",
    "wrong-operand": "an operator has no value, too many, or the wrong sort",
    "bad-pattern": "a regular expression cannot be used",
    "expression-syntax": "an expression cannot be read",
    "unknown-function": "the dialect has no such function",
    "wrong-arity": "a function has too few or too many arguments",
    "expression": "an expression can never be evaluated",
    "hidden-attribute": "an attribute that is never read is asked for",
    "one-source": "a mapping has no source, or more than one",
    "duplicate-target": "a cloud attribute is mapped twice",
    "members-of-user": "only groups have members",
    "weak-key": "a matching attribute does not tell one object from all others",
    # what cannot work
    "unknown-target": "Microsoft Graph has no such attribute",
    "unwritable-target": "Microsoft Graph cannot write the attribute",
    "missing-required-target": "an attribute is not mapped, and nothing can be created without it",
    "match-not-mapped": "a matching attribute is not mapped",
    "unknown-parameter": "an expression uses a parameter that is not set",
    "constant-refused": "a constant or default is one that Entra ID refuses",
    # what is most likely not meant
    "unknown-attribute": "Active Directory has no such attribute, as far as is known",
    "too-long": "Active Directory allows longer values than Entra ID takes",
    "several-values": "a source can hold several values, and its target takes one",
    "not-true-or-false": "a source never is true or false, and its target takes nothing else",
    "dead-clause": "a condition contradicts another, or a filter can never be true",
    "repeated-clause": "a condition or filter adds nothing to another",
    "dead-scope": "an organizational unit adds nothing, or lies outside the base",
    "explosive-pattern": "a regular expression can take a time without end on some values",
    "changes-every-time": "a mapping gives another value at each run",
    "manager-source": "only the directory's own manager can be linked",
    # what is worth knowing
    "unanchored-pattern": "a regular expression is looked for anywhere in the value",
    "create-only": "the attribute is written when the object is created, and never again",
    "nobody-may": "nobody has any right, so the bot refuses everyone",
}
"""Every code, and what it stands for."""

_KINDS: Final = (TargetKind.USER, TargetKind.GROUP)


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that was checked: what it means, as far as it has a meaning, and every finding in order."""

    reading: Reading
    problems: tuple[Problem, ...]

    def count(self, severity: Severity) -> int:
        """How many findings are this bad."""
        return sum(1 for problem in self.problems if problem.severity is severity)

    @property
    def ok(self) -> bool:
        """Whether there are no errors."""
        return self.count(Severity.ERROR) == 0


def check_configuration(text: str) -> Checked:
    """Check the text of a configuration file."""
    reading = read_configuration(text)
    document, understood = reading.document, reading.understood
    report = Report(reading.source, list(reading.problems))
    if document is not None and understood is not None:
        for kind in _KINDS:
            given = document.objects.user if kind is TargetKind.USER else document.objects.group
            rules = understood.objects.get(kind)
            if given is not None and rules is not None:
                check_scope(given.scope, understood, report, ("objects", str(kind), "scope"))
                check_rules(given, rules, understood, document.known_attributes, report)
        if not any(grant.people for grant in understood.access.values()):
            message = "nobody has a right, so the bot refuses everyone; name people under access"
            report.note(("access",), "nobody-may", message)
    return Checked(reading, in_order(report.problems))
