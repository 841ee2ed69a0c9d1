"""Check files and folders of configurations, each by itself and all of them together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.configuration.lint.check import Checked, check_configuration
from pipeline.configuration.loading import Reading, read_text
from pipeline.configuration.problems import Problem, in_order
from pipeline.configuration.yaml_positions import Positioned
from pipeline.errors import ConfigurationInvalid


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file and what was found in it."""

    path: Path
    checked: Checked


def check_files(paths: Iterable[Path]) -> tuple[CheckedFile, ...]:
    """Check every file, and every .yaml file of every folder. What cannot be read is a finding as well."""
    files = [CheckedFile(path, _check(path)) for given in paths for path in _files(given)]
    return tuple(replace(file, checked=_beside(file, files)) for file in files)


def _files(path: Path) -> Sequence[Path]:
    return sorted(path.glob("*.yaml")) or [path] if path.is_dir() else [path]


def _check(path: Path) -> Checked:
    if path.is_dir():
        return _unreadable("there is no .yaml file here")
    try:
        return check_configuration(read_text(path))
    except ConfigurationInvalid as error:
        return _unreadable(error.message.removeprefix(f"{path}: "))


def _unreadable(message: str) -> Checked:
    problem = Problem(1, 1, message, "unreadable")
    return Checked(Reading(Positioned(None), None, None, (problem,)), (problem,))


def _beside(file: CheckedFile, files: Sequence[CheckedFile]) -> Checked:
    """Add what only shows beside other files: a name, or the place of the default, is taken."""
    found = list(file.checked.problems)
    own, source = file.checked.reading.understood, file.checked.reading.source
    for other in files[: files.index(file)]:
        theirs = other.checked.reading.understood
        if own is None or theirs is None:
            continue
        if own.name.casefold() == theirs.name.casefold():
            message = f"{other.path} is named “{theirs.name}” as well; give it another name"
            found.append(source.problem(("name",), message, "duplicate-name"))
        if own.default and theirs.default:
            message = f"{other.path} has default: true as well; only one configuration can"
            found.append(source.problem(("default",), message, "two-defaults"))
    return replace(file.checked, problems=in_order(found))
