"""`fourcheck expression`: one expression, evaluated for one object, with the way it came to its value."""

from __future__ import annotations

import argparse
import base64
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from bot.exit_status import BAD_USAGE, DONE, NOT_PASSED
from bot.settings import load_settings
from pipeline.configuration import Configuration
from pipeline.configuration.loading import read_text
from pipeline.configuration.privacy import Privacy
from pipeline.dn import from_directory
from pipeline.dn import parse as parse_dn
from pipeline.errors import ConfigurationInvalid
from pipeline.expressions import (
    Context,
    Dialect,
    ExpressionError,
    Ignore,
    Reference,
    Scalar,
    TraceNode,
    Value,
    as_text,
    compile_expression,
)
from pipeline.identifiers import Identifier, IdentifierKind, parse_identifier
from pipeline.stages.importing import typed_values

if TYPE_CHECKING:
    from bot.wiring import Systems

_WIDTH: Final = 110
_LITERALS: Final = frozenset({"text", "number", "word"})
_HIDDEN: Final = "present, hidden"
_STEERING: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What steers a terminal or turns a line's direction: people may write some of their own attributes."""


class Commands(Protocol):
    """Where a command's parser is added."""

    def add_parser(self, name: str, *, help: str) -> argparse.ArgumentParser:  # noqa: A002  # argparse's own word
        """Add a command and return its parser."""
        ...


def add_expression_command(commands: Commands) -> None:
    """Add `expression` to the command line."""
    command = commands.add_parser("expression", help="evaluate one expression")
    command.add_argument("text", metavar="TEXT", help="the expression; - for standard input")
    command.add_argument("--attributes", metavar="@FILE.json", help="the object's attributes, as JSON")
    command.add_argument("--object", metavar="IDENTIFIER", help="read the object from the directory")
    command.add_argument("--configuration", metavar="NAME", help="with --object: the rules that apply")
    command.add_argument("--dialect", choices=[str(dialect) for dialect in Dialect])
    command.add_argument(
        "--parameter", metavar="NAME=VALUE", action="append", default=[], help="what %%NAME%% stands for"
    )
    command.add_argument("--trace", action="store_true", help="show how the value came about")
    command.add_argument("--json", action="store_true", help="print the outcome as JSON and nothing else")
    command.set_defaults(handler=_expression)


@dataclass(frozen=True, slots=True)
class _Subject:
    """What an expression is evaluated for: attributes by case-folded name, parameters, what stays hidden."""

    values: Mapping[str, Value] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    dialect: Dialect = Dialect.CLOUD_SYNC
    privacy: Privacy | None = None
    dn: str | None = None
    configuration: str | None = None

    def hides(self, name: str) -> bool:
        return self.privacy is not None and not self.privacy.may_show(name)


async def _expression(options: argparse.Namespace) -> int:
    text = sys.stdin.read().strip() if options.text == "-" else options.text
    given = _attributes(options.attributes)
    try:
        subject = await _subject(text, options, given)
        expression = compile_expression(text, subject.dialect)
    except ExpressionError as error:
        _show_error(text, error, as_json=options.json)
        return BAD_USAGE
    context = Context(parameters={**subject.parameters, **_parameters(options.parameter)})
    trace = expression.trace({**subject.values, **given}, context)
    open_names = frozenset(given)
    hidden = frozenset(
        name.casefold()
        for name in expression.attributes
        if subject.hides(name) and name.casefold() not in open_names
    )
    root = _Shown(hidden).node(trace.root)
    if not root.hidden:
        root = replace(root, value=trace.value)  # a bare IgnoreThisFlow is a word to the tree
    if options.json:
        _print_json(_outcome(text, subject, root, trace.error, with_trace=options.trace))
    else:
        if trace.error is not None:
            _show_error(text, trace.error, as_json=False, hidden=bool(hidden))
        else:
            _print(_words(root))
        if options.trace:
            _console().print(_tree(root))
    return NOT_PASSED if trace.error is not None else DONE


# -- what it is evaluated for ------------------------------------------------------------------------------


def _attributes(given: str | None) -> dict[str, Value]:
    if given is None:
        return {}
    try:
        text = _read_file(Path(given[1:])) if given.startswith("@") else given
        found = json.loads(text)
        if not isinstance(found, dict):
            raise ConfigurationInvalid("--attributes: the attributes are no JSON object", remedy="")
        return {name.casefold(): _value(value) for name, value in found.items()}
    except json.JSONDecodeError as error:
        meant = "" if given.startswith("@") else ". A file is given as @FILE.json"
        raise ConfigurationInvalid(f"--attributes: this is no JSON: {error}{meant}", remedy="") from error
    except ValueError as error:
        raise ConfigurationInvalid(f"--attributes: {error}", remedy="") from error


def _read_file(path: Path) -> str:
    try:
        return read_text(path)
    except ConfigurationInvalid as error:
        raise ConfigurationInvalid(f"--attributes: {error.message}", remedy="") from error


def _value(given: object) -> Value:
    """Read a JSON value: text, number, true or false, null, a list of them, or {"$binary": base64}."""
    if isinstance(given, list):
        return [_scalar(item) for item in given]
    return None if given is None else _scalar(given)


def _scalar(given: object) -> Scalar:
    match given:
        case str() | int() | float() | bool():
            return given
        case {"$binary": str(encoded)}:
            try:
                return base64.b64decode(encoded, validate=True)
            except ValueError as error:
                raise ValueError(f"{json.dumps(given)} is no base64") from error
        case {"$reference": str(dn)}:
            return Reference(dn)
        case _:
            raise ValueError(f"{json.dumps(given)} is no value of an attribute")


def _parameters(given: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not equals:
            raise ConfigurationInvalid(f"--parameter {item}: write NAME=VALUE", remedy="")
        found[name.strip("%")] = value
    return found


async def _subject(text: str, options: argparse.Namespace, given: Mapping[str, Value]) -> _Subject:
    dialect = Dialect(options.dialect) if options.dialect else None
    if options.object is None:
        return _Subject(dialect=dialect or Dialect.CLOUD_SYNC)
    from bot.wiring import open_systems  # noqa: PLC0415  # without an object, no system is needed

    async with open_systems(load_settings(), guest=True) as systems:
        identifier = parse_identifier(options.object)
        typed = parse_dn(identifier.text) if identifier.kind is IdentifierKind.DN else None
        configuration = systems.configurations.select(options.configuration, typed)
        subject = await _read(text, identifier, configuration, systems, dialect=dialect, given=given)
        fitting = systems.configurations.select(options.configuration, from_directory(str(subject.dn)))
        if fitting.name != configuration.name:  # what was typed did not tell the domain
            subject = await _read(text, identifier, fitting, systems, dialect=dialect, given=given)
        return subject


async def _read(
    text: str,
    identifier: Identifier,
    configuration: Configuration,
    systems: Systems,
    *,
    dialect: Dialect | None,
    given: Mapping[str, Value],
) -> _Subject:
    expression = compile_expression(text, dialect or configuration.dialect)
    names = {name for name in expression.attributes if name.casefold() not in given}
    refused = sorted(name for name in names if not configuration.privacy.may_read(name))
    if refused:
        raise ConfigurationInvalid(f"{', '.join(refused)}: hidden, and never read", remedy="")
    directory = systems.directories.get(configuration.directory)
    if directory is None:
        raise ConfigurationInvalid(f"No directory “{configuration.directory}” is set up.")
    entry = await directory.resolve(identifier, sorted({"distinguishedName", *names}))
    return _Subject(
        values=typed_values(entry),
        parameters=configuration.parameters,
        dialect=expression.dialect,
        privacy=configuration.privacy,
        dn=entry.dn,
        configuration=configuration.name,
    )


# -- how it is shown ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Node:
    """A node of a trace, ready to be shown: values in words and as JSON, hidden ones taken out."""

    text: str
    kind: str
    start: int
    end: int
    evaluated: bool
    failed: bool
    taken: bool | None
    value: Value | Ignore
    hidden: bool
    children: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Shown:
    """Takes the values out of what is made from private attributes."""

    private: frozenset[str]

    def node(self, node: TraceNode) -> _Node:
        parts = tuple(self.node(child) for child in node.children)
        own = node.kind == "attribute" and node.text.strip("[] ").casefold() in self.private
        hidden = (own or any(part.hidden for part in parts)) and node.value is not None
        return _Node(
            text=" ".join(node.text.split()),
            kind=node.kind,
            start=node.start,
            end=node.end,
            evaluated=node.evaluated,
            failed=node.failed,
            taken=node.taken,
            value=_HIDDEN if hidden else node.value,
            hidden=hidden or own,
            children=parts,
        )


def _words(node: _Node) -> str:
    """Return a value for people: lists a line each, nothing and being left out in words."""
    value = node.value
    if isinstance(value, Ignore):
        return "(left out of the flow)"
    if value is None:
        return "(nothing)"
    if isinstance(value, list):
        return "\n".join(f"• {_visible(as_text(item))}" for item in value) or "(nothing)"
    return _visible(as_text(value))


def _visible(text: str) -> str:
    """Take a text's hold on the terminal away: what steers it, or turns a line, is written as in JSON."""
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text.replace("\r\n", "\n"))


def _brief(node: _Node) -> str:
    value = node.value
    if node.hidden and value is not None:
        return _HIDDEN
    if isinstance(value, Ignore):
        return "left out of the flow"
    if value is None:
        return "nothing"
    if isinstance(value, list):
        shown = ", ".join(_quoted(as_text(item)) for item in value[:5])
        return f"[{shown}{', …' if len(value) > 5 else ''}]"
    text = as_text(value)
    text = text if len(text) <= 80 else f"{text[:80]}…"
    return _quoted(text) if isinstance(value, str) else _visible(text)


def _quoted(text: str) -> str:
    return _visible(json.dumps(text, ensure_ascii=False))


def _tree(node: _Node) -> Tree:
    tree = Tree(_label(node))
    _grow(tree, node)
    return tree


def _grow(tree: Tree, node: _Node) -> None:
    for child in node.children:
        if child.kind in _LITERALS and child.taken is None:
            continue  # its text stands in the line above
        branch = tree.add(_label(child))
        if child.taken is not False:
            _grow(branch, child)


def _label(node: _Node) -> Text:
    label = Text(no_wrap=False)
    style = "" if node.evaluated or node.failed else "dim"
    if node.taken is not None:
        label.append("✔ taken  " if node.taken else "✘ not taken  ", "green" if node.taken else "dim")
    label.append(node.text if len(node.text) <= _WIDTH else f"{node.text[:_WIDTH]}…", style or "bold")
    if node.failed:
        label.append("  ✘ failed", "red")
        return label
    if not node.evaluated:
        if node.taken is None:
            label.append("  not evaluated", "dim")
        return label
    label.append("  →  ")
    label.append(_brief(node), "yellow" if node.value is None else "cyan")
    if node.value is None:
        label.append(f"  ({_why_nothing(node)})", "yellow")
    return label


def _why_nothing(node: _Node) -> str:
    """Say where a null came from."""
    if node.kind == "attribute":
        return "the object has no value for it"
    if node.kind == "word":
        return "written so"
    chosen = [child for child in node.children if child.taken]
    if chosen and chosen[0].value is None:
        return f"from {chosen[0].text}"
    empty = [child.text for child in node.children if child.evaluated and child.value is None]
    return f"because {', '.join(empty)} {'is' if len(empty) == 1 else 'are'} nothing" if empty else "its own"


def _show_error(text: str, error: ExpressionError, *, as_json: bool, hidden: bool = False) -> None:
    """Mark the place under the text."""
    if as_json:
        _print_json({"expression": text, "value": None, "error": _error(error)})
        return
    message = "the evaluation failed on a private value" if hidden else str(error)
    lines = text.splitlines() or [""]
    line = lines[min(error.position.line, len(lines)) - 1]
    begin = max(0, error.position.column - _WIDTH // 2)
    mark = " " * (error.position.column - 1 - begin) + "^"
    shown = line[begin : begin + _WIDTH].replace("\t", " ")
    place = f"  {shown}\n  {mark}\n" if shown.strip() else ""
    sys.stderr.write(f"{_visible(message)}\n{_visible(place)}")


def _error(error: ExpressionError) -> Mapping[str, Any]:
    return {
        "message": str(error),
        "line": error.position.line,
        "column": error.position.column,
        "function": error.function,
        "argument": error.argument,
    }


def _outcome(
    text: str, subject: _Subject, root: _Node, error: ExpressionError | None, *, with_trace: bool
) -> Mapping[str, Any]:
    hidden = any(node.hidden for node in _all(root))
    problem = None if error is None else {**_error(error)}
    if problem is not None and hidden:
        problem["message"] = "the evaluation failed on a private value"
    return {
        "expression": text,
        "dialect": str(subject.dialect),
        "object": subject.dn,
        "configuration": subject.configuration,
        "value": None if error is not None else _json(root.value),
        "ignored": isinstance(root.value, Ignore),
        "error": problem,
        **({"trace": _json_node(root)} if with_trace else {}),
    }


def _all(node: _Node) -> list[_Node]:
    return [node, *(inner for child in node.children for inner in _all(child))]


def _json_node(node: _Node) -> Mapping[str, Any]:
    return {
        "text": node.text,
        "kind": node.kind,
        "start": node.start,
        "end": node.end,
        "evaluated": node.evaluated,
        "failed": node.failed,
        "taken": node.taken,
        "value": _json(node.value),
        "children": [_json_node(child) for child in node.children],
    }


def _json(value: Value | Ignore) -> object:
    if value is None or isinstance(value, Ignore):
        return None
    if isinstance(value, list):
        return [_json(item) for item in value]
    if isinstance(value, bytes):
        return {"$binary": base64.b64encode(value).decode("ascii")}
    return value if isinstance(value, str | int | float | bool) else as_text(value)


def _console() -> Console:
    width = None if sys.stdout.isatty() else _WIDTH + 40
    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False, width=width, soft_wrap=True)


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _print_json(data: object) -> None:
    _print(json.dumps(data, ensure_ascii=False, indent=2))
