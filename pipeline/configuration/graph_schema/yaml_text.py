"""A configuration's text, made from a schema: laid out to be read and edited by people."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pipeline.configuration import document as doc
from pipeline.configuration.graph_schema.importing import interpret
from pipeline.configuration.graph_schema.model import Imported, ImportedObject
from pipeline.configuration.rules import every_node
from pipeline.dn import parse as parse_dn
from pipeline.expressions import ExpressionError
from pipeline.expressions.nodes import Parameter
from pipeline.expressions.parser import parse
from pipeline.expressions.state import parameter_key

_WIDTH: Final = 110
_PLAIN: Final = re.compile(r"[A-Za-z][\w.-]*(?: [\w.-]+)*")
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_PLACEHOLDER: Final = "DC=example,DC=com"


@dataclass(frozen=True, slots=True)
class Made:
    """A configuration's text, and what its reader should know before using it."""

    text: str
    notes: tuple[str, ...]


def configuration_text(
    schema: Mapping[str, Any], name: str, base: str | None = None, *, keep: bool = True
) -> Made:
    """Turn a schema into the text of a configuration.

    `base` is where its objects lie; without it, it is taken from the schema's containers. With `keep` the
    schema itself goes along, for the way back. Raises SchemaInvalid, or IdentifierMalformed for a bad base.
    """
    imported = interpret(schema)
    notes = list(imported.notes)
    found = base or _common_base(imported)
    if found is None:
        notes.append(f"the schema does not say where its objects lie: put your domain for {_PLACEHOLDER}")
    base = found or _PLACEHOLDER
    parameters = _parameters(imported, parse_dn(base).domain)
    notes += [f"parameters: {key} is set to “{value}”; correct it" for key, value in parameters.items()]
    lines = [
        f"# Made from the rule {_quoted(imported.name)} of a synchronization schema of Microsoft Graph.",
        "# Nobody may use it yet: name people under `access`, as in",
        "#   access: { preview: { people: [TEAM/USER] } }",
        "",
        "version: 1",
        f"name: {_scalar(name)}",
        f"base: {_scalar(base)}",
        "dialect: cloud-sync",
        *(["parameters:"] if parameters else []),
        *(f"  {key}: {_scalar(value)}" for key, value in parameters.items()),
        "",
        "objects:",
    ]
    for kind, found_object in imported.objects.items():
        lines += [f"  {kind}:", *_indented(_rules(found_object), 4), ""]
    if keep:
        lines += _kept(schema)
    return Made("\n".join(lines).rstrip() + "\n", tuple(dict.fromkeys(notes)))


def _common_base(imported: Imported) -> str | None:
    """Return the domain that all containers and groups lie in."""
    scopes = [o.rules.scope for o in imported.objects.values()]
    names = [name for s in scopes for name in (*s.organizational_units, *(g.dn for g in s.groups))]
    domains = {
        ",".join(f"DC={rdn[0].value}" for rdn in parse_dn(name).rdns if rdn[0].type == "DC") for name in names
    }
    return domains.pop() or None if len(domains) == 1 else None


def _parameters(imported: Imported, domain: str) -> dict[str, str]:
    """Return what the expressions' parameters stand for, guessed from the domain's name."""
    guesses = {
        "domainfqdn": domain,
        "domainnetbios": domain.partition(".")[0].upper(),
        "forestfqdn": domain,
        "forestnetbios": domain.partition(".")[0].upper(),
    }
    found: dict[str, str] = {}
    for imported_object in imported.objects.values():
        for attribute in imported_object.rules.attributes:
            for name in _parameter_names(attribute.expression):
                found[name] = guesses.get(parameter_key(name), "")
    return dict(sorted(found.items()))


def _parameter_names(expression: str | None) -> list[str]:
    if expression is None:
        return []
    try:
        return [node.name for node in every_node(parse(expression)) if isinstance(node, Parameter)]
    except ExpressionError:
        return []


# -- one kind of object ----------------------------------------------------------------------------------


def _rules(imported: ImportedObject) -> list[str]:
    rules = imported.rules
    lines = [f"kinds: [{', '.join(rules.kinds)}]"] if rules.kinds else []
    lines += _scope(rules.scope)
    if imported.match_added:
        lines.append("# The schema matches by nothing that Graph can be asked for; these are the usual keys.")
    lines += [f"match: [{', '.join(rules.match)}]", "attributes:"]
    for attribute in rules.attributes:
        if attribute.target in imported.added:
            lines.append(f"  # Added, not in the schema: {imported.added[attribute.target]}.")
        lines += _indented(_attribute(attribute), 2)
    if imported.left_out:
        lines += [
            f"  # Not taken over from the schema ({len(imported.left_out)}):",
            *(
                f"  #   {item.target} <- {_one_line(item.text) or 'nothing'}: {_one_line(item.because)}"
                for item in imported.left_out
            ),
        ]
    if rules.members != "none":
        lines.append(f"members: {rules.members}  # the service also removes members; Fourcheck adds them")
    return lines


def _scope(scope: doc.Scope) -> list[str]:
    lines: list[str] = []
    for key, names in (
        ("organizational_units", scope.organizational_units),
        ("groups", [group.dn for group in scope.groups]),
    ):
        lines += [f"{key}:", *(f"  - {_scalar(name)}" for name in names)] if names else []
    for key, filters in (("filters", scope.filters), ("input_filters", scope.input_filters)):
        if filters:
            lines += [f"{key}:", *_indented([line for f in filters for line in _filter(f)], 2)]
    return ["scope:", *_indented(lines, 2)] if lines else []


def _filter(given: doc.Filter) -> list[str]:
    return [f"- name: {_scalar(given.name)}", "  all:", *(f"    - {_flow(_clause(c))}" for c in given.all)]


def _clause(clause: doc.Clause) -> dict[str, object]:
    parts: dict[str, object] = {"attribute": clause.attribute, "operator": clause.operator}
    return parts if clause.value is None else {**parts, "value": clause.value}


def _attribute(attribute: doc.Attribute) -> list[str]:
    parts: dict[str, object] = {"target": attribute.target}
    for key in ("source", "expression", "constant"):
        value = getattr(attribute, key)
        if value is not None:
            parts[key] = value
    if attribute.apply != "always":
        parts["apply"] = attribute.apply
    if attribute.default is not None:
        parts["default"] = attribute.default
    line = f"- {_flow(parts)}"
    if len(line) + 6 <= _WIDTH:
        return [line]
    first, *others = (f"{key}: {_scalar(value)}" for key, value in parts.items())
    return [f"- {first}", *(f"  {other}" for other in others)]


# -- the text itself -------------------------------------------------------------------------------------


def _indented(lines: Iterable[str], spaces: int) -> list[str]:
    return [" " * spaces + line for line in lines]


def _flow(parts: Mapping[str, object]) -> str:
    return "{ " + ", ".join(f"{key}: {_scalar(value)}" for key, value in parts.items()) + " }"


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if _PLAIN.fullmatch(text) and text.casefold() not in _WORDS:
        return text
    return _quoted(text)


def _quoted(text: str) -> str:
    if text.isprintable() and "'" not in text:
        return f"'{text}'"
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    """Write a character for a YAML text in double quotes, where JSON's pairs of surrogates mean nothing."""
    if character in {'"', "\\"}:
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _kept(schema: Mapping[str, Any]) -> list[str]:
    return [
        "# The schema itself, word for word. It changes nothing here; `fourcheck configuration export` goes",
        "# back from it and the rules above. Without it the way back has nothing but the rules.",
        "kept:",
        "  graph_schema: |-",
        *_indented(_json_lines(schema), 4),
    ]


def _json_lines(schema: Mapping[str, Any]) -> Sequence[str]:
    """Return the JSON in lines of a readable length, broken between its parts only."""
    lines: list[str] = []
    line = ""
    for piece in json.JSONEncoder().iterencode(schema):
        if line and len(line) + len(piece) > _WIDTH - 4:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return [*lines, line]
