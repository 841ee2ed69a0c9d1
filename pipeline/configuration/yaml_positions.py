"""Strict YAML: plain data, no duplicate keys, no secrets, and where in the file each value stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

import yaml

from pipeline.configuration.problems import Problem, Severity

Path = tuple[str | int, ...]
_Place = TypeVar("_Place")

_SECRET_WORDS: Final = ("password", "secret", "token", "private_key", "passphrase")
_SECRET_VALUES: Final = re.compile(
    r"xox[abeprs]-[\w-]{8}|xapp-\d-\w{8}|-----BEGIN [A-Z ]*PRIVATE KEY|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}"
    r"|\b\w{3}8Q~[\w.~-]{31}"
)
"""Slack's tokens, private keys in PEM, JSON web tokens, client secrets of app registrations."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar as it stands in the file: where it begins (from 1) and its characters, quotes included."""

    line: int
    column: int
    raw: str
    style: str | None

    def place(self, text: str, offset: int) -> tuple[int, int]:
        """Return line and column in the file of a place in the scalar's text; its beginning when unsure."""
        if self.style == "|":
            return self._place_in_block(text, offset)
        quote = 1 if self.style else 0
        inner, before = self.raw[quote:], text[:offset]
        if self.style == ">" or "\n" in before or not inner.startswith(before):
            return self.line, self.column
        return self.line, self.column + quote + offset

    def _place_in_block(self, text: str, offset: int) -> tuple[int, int]:
        row = text.count("\n", 0, offset)
        lines = self.raw.splitlines()[1:]
        if row >= len(lines):
            return self.line, self.column
        indentation = next((len(line) - len(line.lstrip()) for line in lines if line.strip()), 0)
        return self.line + 1 + row, indentation + offset - text.rfind("\n", 0, offset)


@dataclass(slots=True)
class Positioned:
    """A parsed file: its data, where every value stands by its path, and what is wrong with it."""

    data: object
    positions: dict[Path, tuple[int, int]] = field(default_factory=dict)
    scalars: dict[Path, Scalar] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(
        self,
        path: Path,
        message: str,
        code: str = "invalid",
        severity: Severity = Severity.ERROR,
        *,
        within: tuple[str, int] | None = None,
    ) -> Problem:
        """Return a problem at the deepest known position along the path.

        `within` is the text of the scalar that stands there and an offset in it, from 0.
        """
        while path and path not in self.positions:
            path, within = path[:-1], None
        line, column = self.positions.get(path, (1, 1))
        if within is not None and path in self.scalars:
            line, column = self.scalars[path].place(*within)
        return Problem(line, column, message, code, severity)

    def without(self, path: Path) -> None:
        """Take a value out of the data; what follows it in a list moves up, and keeps its place."""
        parent = self.data
        for part in path[:-1]:
            parent = parent[part]  # type: ignore[index]  # the path leads through lists and mappings
        last = path[-1]
        if isinstance(parent, dict):
            parent.pop(last, None)
        elif isinstance(parent, list) and isinstance(last, int):
            del parent[last]
        self.positions = _moved(self.positions, path)
        self.scalars = _moved(self.scalars, path)


def _moved(places: dict[Path, _Place], gone: Path) -> dict[Path, _Place]:
    depth, index = len(gone) - 1, gone[-1]
    kept: dict[Path, _Place] = {}
    for path, place in places.items():
        if path[: depth + 1] == gone:
            continue
        part = path[depth] if len(path) > depth else None
        if path[:depth] == gone[:-1] and isinstance(part, int) and isinstance(index, int) and part > index:
            kept[(*path[:depth], part - 1, *path[depth + 1 :])] = place
        else:
            kept[path] = place
    return kept


class _PlainLoader(yaml.SafeLoader):
    """YAML without aliases: a few lines of them can stand for gigabytes, or for themselves."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose the next node, unless it is a reference to one that was there before."""
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave it open
            problem = "an alias (*name) is not taken here; write it out"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
        return super().compose_node(parent, index)


def read_yaml(text: str) -> Positioned:
    """Parse a YAML text into data with positions; what is wrong with its form is in `problems`."""
    result = Positioned(data=None)
    try:
        node = yaml.compose(text, Loader=_PlainLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        message = f"not valid YAML: {error.problem or error.context}"
        result.problems.append(Problem(line, column, message, "yaml"))
        return result
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - before.rfind("\n")
        message = f"not valid YAML: the character U+{ord(text[error.position]):04X} is not allowed here"
        result.problems.append(Problem(line, column, message, "yaml"))
        return result
    except RecursionError:
        result.problems.append(Problem(1, 1, "not a configuration: it is nested too deeply", "yaml"))
        return result
    if node is not None:
        result.data = _value(node, (), result, text)
    return result


def _value(node: yaml.Node, path: Path, into: Positioned, text: str) -> object:
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    into.positions[path] = (line, column)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, into, text)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*path, index), into, text) for index, item in enumerate(node.value)]
    if isinstance(node, yaml.ScalarNode):
        raw = text[node.start_mark.index : node.end_mark.index]
        into.scalars[path] = Scalar(line, column, raw, node.style)
    if _SECRET_VALUES.search(str(node.value)):
        message = "this looks like a secret; secrets belong in settings or files, never in a configuration"
        into.problems.append(Problem(line, column, message, "secret"))
    constructor = yaml.SafeLoader("")
    try:
        return constructor.construct_object(node)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: 2026-02-31 is a date to YAML
        why = (error.problem if isinstance(error, yaml.MarkedYAMLError) else None) or error
        into.problems.append(into.problem(path, f"cannot be read: {why}", "yaml"))
        return None


def _mapping(node: yaml.MappingNode, path: Path, into: Positioned, text: str) -> Mapping[str, object]:
    found: dict[str, object] = {}
    for key_node, value_node in node.value:
        line, column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
        key = str(key_node.value)
        if key in found:
            into.problems.append(Problem(line, column, f"“{key}” is here twice", "duplicate-key"))
            continue
        if any(word in key.casefold() for word in _SECRET_WORDS):
            message = f"“{key}”: secrets belong in settings or files, never in a configuration"
            into.problems.append(Problem(line, column, message, "secret"))
            continue
        found[key] = _value(value_node, (*path, key), into, text)
        into.positions[(*path, key)] = (line, column)
    return found
