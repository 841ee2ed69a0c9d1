"""The commands about rules: `fourcheck configuration …` and `fourcheck expression …`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.cli_expression import Commands, add_expression_command
from bot.exit_status import BAD_USAGE, DONE
from bot.settings import load_settings
from pipeline.configuration import Configuration, load_configuration, load_configurations
from pipeline.configuration.describe import describe
from pipeline.configuration.graph_schema import configuration_text, export_schema
from pipeline.configuration.lint import CheckedFile, check_files
from pipeline.configuration.loading import read_configuration, read_text
from pipeline.configuration.problems import Problem, Severity
from pipeline.errors import ConfigurationInvalid


def add_rules_commands(commands: Commands) -> None:
    """Add `configuration` and `expression` to the command line."""
    configuration = commands.add_parser("configuration", help="check, show, import or export configurations")
    parts = configuration.add_subparsers(required=True, metavar="check|show|import|export")
    check = parts.add_parser("check", help="find what is wrong, with line numbers")
    check.add_argument(
        "files", metavar="FILE", nargs="+", type=Path, help="a .yaml file, or a folder of them"
    )
    check.add_argument("--json", action="store_true", help="print the findings as JSON")
    check.set_defaults(handler=_check)
    show = parts.add_parser("show", help="print what a configuration means")
    show.add_argument("name", metavar="NAME", help="its name, or its file")
    show.add_argument("--json", action="store_true", help="print it as JSON")
    show.set_defaults(handler=_show)
    imports = parts.add_parser("import", help="turn a synchronization schema of Microsoft Graph into YAML")
    imports.add_argument("schema", metavar="SCHEMA.json", help="the schema; - for standard input")
    imports.add_argument("--name", default="imported", help="the configuration's name")
    imports.add_argument("--base", metavar="DN", help="where its objects lie, such as DC=example,DC=com")
    imports.add_argument(
        "--without-schema", action="store_true", help="do not carry the schema along for the way back"
    )
    imports.set_defaults(handler=_import)
    exports = parts.add_parser("export", help="turn a configuration into a synchronization schema")
    exports.add_argument("file", metavar="FILE", type=Path)
    exports.set_defaults(handler=_export)
    add_expression_command(commands)


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _print_json(data: object) -> None:
    _print(json.dumps(data, ensure_ascii=False, indent=2))


# -- check -------------------------------------------------------------------------------------------------


async def _check(options: argparse.Namespace) -> int:
    files = check_files(options.files)
    if options.json:
        _print_json({"ok": all(f.checked.ok for f in files), "files": [_checked(file) for file in files]})
    else:
        for file in files:
            for problem in file.checked.problems:
                _print(
                    f"{file.path}:{problem.line}:{problem.column}: "
                    f"{problem.severity}: {problem.message} [{problem.code}]"
                )
            _print(f"{file.path}: {_totals(file)}")
    return DONE if all(file.checked.ok for file in files) else BAD_USAGE


def _checked(file: CheckedFile) -> Mapping[str, Any]:
    understood = file.checked.reading.configuration
    return {
        "file": str(file.path),
        "ok": file.checked.ok,
        "name": understood.name if understood else None,
        "digest": understood.digest if understood else None,
        **{f"{severity}s": file.checked.count(severity) for severity in Severity},
        "problems": [_problem(problem) for problem in file.checked.problems],
    }


def _problem(problem: Problem) -> Mapping[str, Any]:
    return {
        "line": problem.line,
        "column": problem.column,
        "severity": str(problem.severity),
        "code": problem.code,
        "message": problem.message,
    }


def _totals(file: CheckedFile) -> str:
    counts = [(file.checked.count(severity), str(severity)) for severity in Severity]
    return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)


# -- show --------------------------------------------------------------------------------------------------


async def _show(options: argparse.Namespace) -> int:
    meaning = describe(_configuration(options.name))
    if options.json:
        _print_json(meaning)
    else:
        _print("\n".join(_meaning(meaning)))
    return DONE


def _configuration(name: str) -> Configuration:
    path = Path(name)
    if path.suffix == ".yaml" and path.is_file():
        return load_configuration(path)
    return load_configurations(load_settings().configurations).named(name)


def _meaning(meaning: Mapping[str, Any]) -> Sequence[str]:
    lines = [
        f"{meaning['name']}{' (the default)' if meaning['default'] else ''}",
        f"  digest     {meaning['digest']}",
        f"  directory  {meaning['directory']}, below {meaning['base']}",
        f"  dialect    {meaning['dialect']}",
    ]
    lines += [f"  %{name}%  {value}" for name, value in meaning["parameters"].items()]
    for right, grant in meaning["access"].items():
        people = ", ".join(grant["people"]) or "nobody"
        channels = f" in {', '.join(grant['channels'])}" if grant["channels"] else ""
        lines.append(f"  may {right:<14} {people}{channels}")
    if meaning["guards"]["allow_create_in_synced_tenant"]:
        lines.append("  guard off  creates in a tenant that a directory synchronization feeds")
    if meaning["guards"]["allow_privileged_targets"]:
        lines.append("  guard off  changes holders of directory roles")
    if not meaning["guards"]["restore"]:
        lines.append("  guard on   restores no deleted object")
    if meaning["guards"]["fallback_domain"]:
        lines.append(f"  otherwise  names end in {meaning['guards']['fallback_domain']}")
    for kind, rules in meaning["objects"].items():
        lines += ["", f"{kind} ({', '.join(rules['kinds'])})", *_rules(rules)]
    return [*lines, "", f"Reads {len(meaning['reads'])} attributes: {', '.join(meaning['reads'])}"]


def _rules(rules: Mapping[str, Any]) -> Sequence[str]:
    lines: list[str] = []
    for key, title in (
        ("organizational_units", "below any of"),
        ("groups", "direct member of any of"),
    ):
        if rules["scope"][key]:
            nested = rules["scope"]["nested_groups"] if key == "groups" else ()
            lines += [
                f"  {title}:",
                *(
                    f"    {name}{', or of its member groups' if name in nested else ''}"
                    for name in rules["scope"][key]
                ),
            ]
    for key, title in (("filters", "any filter of"), ("input_filters", "and any input filter of")):
        if rules["scope"][key]:
            lines.append(f"  {title}:")
        for scope_filter in rules["scope"][key]:
            lines.append(f"    “{scope_filter['name']}”: all of")
            lines += [
                f"      {clause['attribute']} {clause['operator']}"
                f"{'' if clause['value'] is None else ' ' + repr(clause['value'])}"
                for clause in scope_filter["all"]
            ]
    if len(lines) == 0:
        lines.append("  no conditions: everything below the base is in scope")
    lines.append(f"  matched by {', then '.join(rules['match'])}")
    width = max(len(mapping["target"]) for mapping in rules["attributes"])
    lines += [f"  {mapping['target']:<{width}}  <- {_made_of(mapping)}" for mapping in rules["attributes"]]
    if rules["members"] != "none":
        lines.append(f"  members: {rules['members']}")
    return lines


def _made_of(mapping: Mapping[str, Any]) -> str:
    parts = [mapping["expression"]] if mapping["expression"] is not None else []
    if mapping["expression"] is None and mapping["constant"] is not None:
        parts.append(f"always {mapping['constant']!r}")
    if mapping["default"] is not None:
        parts.append(f"default {mapping['default']!r}")
    if mapping["apply"] != "always":
        parts.append(mapping["apply"].replace("_", " "))
    if mapping["null"] == "ignore":
        parts.append("left alone when there is nothing")
    return ", ".join(parts)


# -- import and export ---------------------------------------------------------------------------------------


async def _import(options: argparse.Namespace) -> int:
    made = configuration_text(
        _json_of(options.schema), options.name, options.base, keep=not options.without_schema
    )
    sys.stdout.write(made.text)
    for note in made.notes:
        _tell(f"note: {note}")
    return DONE


def _json_of(name: str) -> Mapping[str, Any]:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8-sig")
        found = json.loads(text)
    except (OSError, ValueError) as error:
        raise ConfigurationInvalid(f"{name}: cannot be read: {error}", remedy="") from error
    if not isinstance(found, dict):
        raise ConfigurationInvalid(f"{name}: holds no JSON object", remedy="")
    return found


async def _export(options: argparse.Namespace) -> int:
    reading = read_configuration(read_text(options.file))
    if reading.configuration is None or reading.document is None:
        lines = "\n".join(f"{options.file}: {problem}" for problem in reading.problems)
        raise ConfigurationInvalid(lines)
    exported = export_schema(reading.document)
    _print_json(exported.schema)
    for note in exported.notes:
        _tell(f"note: {note}")
    return DONE
