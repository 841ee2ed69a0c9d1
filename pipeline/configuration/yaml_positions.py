"""Strict YAML: plain data, no duplicate keys, and where in the file each value stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import yaml

Path = tuple[str | int, ...]

_SECRET_WORDS: Final = ("password", "secret", "token", "private_key", "passphrase")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a file. `line` and `column` count from 1."""

    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"


@dataclass(slots=True)
class Positioned:
    """A parsed file: its data, the position of every value by path, and what is wrong with its form."""

    data: object
    positions: dict[Path, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, path: Path, message: str) -> Problem:
        """Return a problem at the deepest known position along the path."""
        while path and path not in self.positions:
            path = path[:-1]
        line, column = self.positions.get(path, (1, 1))
        return Problem(line, column, message)


def read_yaml(text: str) -> Positioned:
    """Parse a YAML text into data with positions; what is wrong with its form is in `problems`."""
    result = Positioned(data=None)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        result.problems.append(Problem(line, column, f"not valid YAML: {error.problem or error.context}"))
        return result
    except yaml.YAMLError as error:
        result.problems.append(Problem(1, 1, f"not valid YAML: {error}"))
        return result
    if node is not None:
        result.data = _value(node, (), result)
    return result


def _value(node: yaml.Node, path: Path, into: Positioned) -> object:
    into.positions[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, into)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*path, index), into) for index, item in enumerate(node.value)]
    constructor = yaml.SafeLoader("")
    try:
        return constructor.construct_object(node)
    except yaml.YAMLError as error:
        into.problems.append(into.problem(path, f"cannot be read: {error}"))
        return None


def _mapping(node: yaml.MappingNode, path: Path, into: Positioned) -> Mapping[str, object]:
    found: dict[str, object] = {}
    for key_node, value_node in node.value:
        line, column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
        key = str(key_node.value)
        if key in found:
            into.problems.append(Problem(line, column, f"“{key}” is here twice"))
            continue
        if any(word in key.casefold() for word in _SECRET_WORDS):
            into.problems.append(
                Problem(
                    line, column, f"“{key}”: secrets belong in settings or files, never in a configuration"
                )
            )
            continue
        found[key] = _value(value_node, (*path, key), into)
        into.positions[(*path, key)] = (line, column)
    return found
