"""From a file to a configuration: every problem is found in one go and named with its line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

from pipeline import guards
from pipeline.configuration import document as doc
from pipeline.configuration import model
from pipeline.configuration.digest import digest
from pipeline.configuration.privacy import SECRETS, privacy
from pipeline.configuration.problems import Problem, errors, in_order
from pipeline.configuration.reading import read_document
from pipeline.configuration.rules import RulesReader
from pipeline.configuration.yaml_positions import Positioned, read_yaml
from pipeline.dn import DistinguishedName
from pipeline.dn import parse as parse_dn
from pipeline.errors import ConfigurationInvalid, RequestError
from pipeline.expressions import Dialect
from pipeline.model import TargetKind

UNUSABLE: Final = parse_dn("DC=invalid")
"""Stands in for a base that cannot be read."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of a text: what it means as far as it can be understood, and what is wrong with it.

    `configuration` is there when there are no errors; `understood` is the same, or without what is wrong.
    """

    source: Positioned
    document: doc.ConfigurationDocument | None
    understood: model.Configuration | None
    problems: tuple[Problem, ...]

    @property
    def configuration(self) -> model.Configuration | None:
        """The configuration, if nothing is wrong with it."""
        return None if errors(self.problems) else self.understood


def load_configuration(path: Path) -> model.Configuration:
    """Read one configuration file. Raises ConfigurationInvalid naming the file and every problem's line."""
    configuration, problems = parse_configuration(read_text(path))
    if configuration is None:
        lines = "\n".join(f"{path}: {problem}" for problem in problems)
        raise ConfigurationInvalid(lines)
    return configuration


def read_text(path: Path) -> str:
    """Return a configuration file's text. Raises ConfigurationInvalid naming the file."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = error.strerror or error
        raise ConfigurationInvalid(f"{path}: cannot be read: {reason}", remedy="Check the path.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationInvalid(f"{path}: cannot be read: it is not UTF-8; save it as UTF-8") from error


@lru_cache(maxsize=16)
def parse_configuration(text: str) -> tuple[model.Configuration | None, tuple[Problem, ...]]:
    """Parse a configuration; where there are problems, there is no configuration.

    The same text is parsed once: of several files that are read again, most have not changed.
    """
    reading = read_configuration(text)
    return reading.configuration, reading.problems


def read_configuration(text: str) -> Reading:
    """Read a text as far as it can be understood, and collect what is wrong with it."""
    source = read_yaml(text)
    document = read_document(source)
    if document is None:
        return Reading(source, None, None, in_order(source.problems))
    understood = _understood(document, source)
    return Reading(source, document, understood, in_order(source.problems))


def _understood(document: doc.ConfigurationDocument, source: Positioned) -> model.Configuration:
    dialect = Dialect(document.dialect)
    hides = privacy(document.privacy.hidden, document.privacy.private)
    for index, name in enumerate(document.privacy.private):
        if name.startswith("-") and name[1:].casefold() in SECRETS:
            message = f"“{name[1:]}” holds a secret and is never read"
            source.problems.append(source.problem(("privacy", "private", index), message, "hidden-attribute"))
    for index, name in enumerate(document.privacy.hidden):
        if name.casefold() in {read.casefold() for read in guards.READS}:
            message = f"“{name}” is read by a built-in exclusion, which would be off without it"
            source.problems.append(source.problem(("privacy", "hidden", index), message, "hidden-attribute"))
    reader = RulesReader(source, dialect, hides)
    objects = {
        kind: reader.rules(kind, rules)
        for kind, rules in (
            (TargetKind.USER, document.objects.user),
            (TargetKind.GROUP, document.objects.group),
        )
        if rules is not None
    }
    configuration = model.Configuration(
        name=document.name,
        default=document.default,
        directory=document.directory,
        base=_base(document, source),
        dialect=dialect,
        parameters=dict(document.parameters),
        access=_access(document.access),
        privacy=hides,
        objects=objects,
        guards=model.Guards(**document.guards.model_dump()),
        digest="",
    )
    return replace(configuration, digest=digest(configuration))


def _base(document: doc.ConfigurationDocument, source: Positioned) -> DistinguishedName:
    try:
        return parse_dn(document.base)
    except RequestError as error:
        source.problems.append(source.problem(("base",), error.message.rstrip("."), "bad-dn"))
        return UNUSABLE


def _access(access: doc.Access) -> dict[model.Right, model.Grant]:
    return {
        right: model.Grant(frozenset(grant.people), frozenset(grant.channels))
        for right, grant in (
            (model.Right.LOOK, access.look),
            (model.Right.PREVIEW, access.preview),
            (model.Right.PROVISION, access.provision),
            (model.Right.OVERRIDE_SCOPE, access.override_scope),
        )
    }
