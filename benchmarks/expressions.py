"""How long 60 typical mappings take an object: beside reading a dictionary, simpleeval and Jinja2.

All are measured in one run, turn by turn, so that a busy machine is busy for all of them; what counts are the
ratios. The expressions are translated for the other two, with plain functions of Python, and every value is
compared before anything is measured. After them comes the slowest of the hostile expressions (see
`benchmarks.hostile`). Run it with `make bench`.
"""

from __future__ import annotations

import base64
import gc
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import jinja2
import simpleeval  # type: ignore[import-untyped]  # it has no annotations
from rich.console import Console
from rich.table import Table

from benchmarks import hostile
from pipeline.configuration.rules import every_node
from pipeline.expressions import Context, Value, compile_expression
from pipeline.expressions.nodes import (
    Attribute,
    Binary,
    Call,
    Chain,
    Node,
    Number,
    Parameter,
    Text,
    Word,
)
from pipeline.expressions.parser import parse

TARGET_US: Final = {"fourcheck": 30.0, "fourcheck, traced": 60.0}
"""What an object may take on two cores, in microseconds."""
ROUNDS: Final = 40
IN_A_ROW: Final = 25
"""How many objects each contender does in its turn."""

_DIRECT: Final = (
    "cn", "displayName", "givenName", "sn", "title", "department", "company", "mail", "userPrincipalName",
    "sAMAccountName", "l", "st", "co", "c", "employeeID",
)  # fmt: skip
_TRIMMED: Final = (
    "streetAddress", "postalCode", "telephoneNumber", "mobile", "physicalDeliveryOfficeName",
    "preferredLanguage", "info", "division", "initials", "extensionAttribute1", "extensionAttribute2",
    "extensionAttribute3", "wWWHomePage", "ipPhone", "pager",
)  # fmt: skip
_ANCHOR: Final = (
    "IIF(IsPresent([mS-DS-ConsistencyGuid]), ConvertToBase64([mS-DS-ConsistencyGuid]), "
    "ConvertToBase64([objectGUID]))"
)
_NESTED: Final = (
    _ANCHOR,
    "IIF(BitAnd([userAccountControl], 2) = 0, True, False)",
    'IIF(IsPresent([userPrincipalName]), [userPrincipalName], [sAMAccountName] & "@" & %Domain.FQDN%)',
    "IIF(IsNullOrEmpty([displayName]), [cn], [displayName])",
    "IIF(IsPresent([mailNickname]), [mailNickname], [sAMAccountName])",
    "Left(Trim(Item([description], 1)), 448)",
    'ToLower(Join("@", StripSpaces(Join(".", [givenName], [sn])), "contoso.test"))',
    'Join(", ", [sn], [givenName])',
    'Append(Left(Trim([displayName]), 51), "_x")',
    "Append(Mid([givenName], 1, 3), Mid([sn], 1, 5))",
    'IIF([c] = "US", IIF([st] = "CA", "West", "East"), Trim([co]))',
    'Switch([st], "Sydney", "NSW", "Sydney", "QLD", "Brisbane", "SA", "Adelaide")',
    "Left(Trim([info]), 448)",
    "RemoveDuplicates(Trim([proxyAddresses]))",
    "ToUpper(Left([c], 2))",
    'IIF(InStr([userPrincipalName], "@partners") > 0, "Guest", "Member")',
    'Item(Split([userPrincipalName], "@"), 1)',
    'Word([displayName], 1, " ")',
    "IIF(IsPresent([msExchUsageLocation]), [msExchUsageLocation], ToUpper(Trim([c])))",
    '[givenName] & " " & Left([sn], 1) & "."',
    "IIF(IsPresent([mobile]), StripSpaces([mobile]), Trim([telephoneNumber]))",
    'Coalesce([mailNickname], [sAMAccountName], "none")',
    'IIF(Left([sAMAccountName], 4) = "AAD_" || Left([sAMAccountName], 5) = "MSOL_", "system", [cn])',
    "StripSpaces(ToLower([employeeID]))",
    'IIF([employeeType] = "Contractor", "c-" & [sAMAccountName], [sAMAccountName])',
    "IIF(IsNullOrEmpty([physicalDeliveryOfficeName]), Trim([l]), Trim([physicalDeliveryOfficeName]))",
    'Trim(Append([streetAddress], Append(", ", [l])))',
    'IIF(IsPresent([department]), Join(" / ", [company], [department]), [company])',
    'Left(Join(" ", Trim([givenName]), Trim([sn])), 64)',
    "IIF(IsNullOrEmpty([title]), ToUpper([employeeType]), Trim([title]))",
)
OBJECT: Final[Mapping[str, Value]] = {
    "cn": "Ada Lovelace",
    "displayname": "Ada Lovelace",
    "givenname": "Ada",
    "sn": "Lovelace",
    "title": " Reader",
    "department": "Computing",
    "company": "Contoso",
    "mail": "ada.lovelace@contoso.test",
    "userprincipalname": "ada.lovelace@contoso.test",
    "samaccountname": "adal",
    "mailnickname": "adal",
    "l": "London",
    "st": "QLD",
    "postalcode": "N1 7AA",
    "co": "United Kingdom",
    "c": "gb",
    "streetaddress": "1 High Street",
    "telephonenumber": "+44 20 7946 0001",
    "mobile": "+44 7700 900001",
    "employeeid": "E 0012",
    "employeetype": "Employee",
    "extensionattribute1": " x ",
    "useraccountcontrol": 512,
    "objectguid": b"0123456789abcdef",
    "proxyaddresses": ["smtp:a@contoso.test ", "SMTP:b@contoso.test"],
    "physicaldeliveryofficename": "HQ",
    "preferredlanguage": "en-GB",
    "info": "some text here",
    "description": ["first", "second"],
    "initials": "AL",
}
FQDN: Final = "contoso.test"


def mappings() -> list[str]:
    """Return the 60 expressions: 15 direct, 15 trimmed, 30 nested."""
    return [*(f"[{n}]" for n in _DIRECT), *(f"Trim([{n}])" for n in _TRIMMED), *_NESTED]


# -- the functions, as somebody would write them for another evaluator -------------------------------------


def _each(function: Callable[[str], Any]) -> Callable[[Any], Any]:
    def apply(value: Any) -> Any:
        if isinstance(value, list):
            return [function(item) for item in value]
        return None if value is None else function(value)

    return apply


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [])


def _join(separator: str, *parts: Any) -> str:
    return separator.join(part for part in parts if part)


def _switch(value: Any, default: Any, *pairs: Any) -> Any:
    return dict(zip(pairs[::2], pairs[1::2], strict=True)).get(value, default)


def _word(text: str, number: int, delimiters: str) -> str:
    words = text.split(delimiters)
    return words[number - 1] if number <= len(words) else ""


def _coalesce(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "append": lambda text, suffix: (text or "") + (suffix or ""),
    "bitand": lambda a, b: int(a) & int(b),
    "coalesce": _coalesce,
    "converttobase64": lambda value: base64.b64encode(value).decode(),
    "instr": lambda text, part: (text or "").find(part) + 1,
    "isnullorempty": _is_empty,
    "ispresent": lambda value: not _is_empty(value),
    "item": lambda values, index: values[index - 1],
    "join": _join,
    "left": lambda text, length: (text or "")[:length],
    "mid": lambda text, start, length: (text or "")[start - 1 : start - 1 + length],
    "removeduplicates": lambda values: list(dict.fromkeys(values)),
    "split": lambda text, delimiter: text.split(delimiter),
    "stripspaces": _each(lambda text: text.replace(" ", "")),
    "switch": _switch,
    "tolower": _each(str.lower),
    "toupper": _each(str.upper),
    "trim": _each(str.strip),
    "word": _word,
}


def translated(node: Node, joined: str) -> str:
    """Write an expression in Python's syntax, which Jinja2 shares but for the sign that joins texts."""
    if isinstance(node, Call):
        parts = [translated(a, joined) for a in node.arguments if a is not None]
        if node.folded == "iif":
            return f"({parts[1]} if {parts[0]} else {parts[2]})"
        return f"{node.folded}({', '.join(parts)})"
    if isinstance(node, Chain):
        sign = {"&": joined, "||": "or", "&&": "and"}[node.operator]
        return f" {sign} ".join(translated(operand, joined) for operand in node.operands)
    if isinstance(node, Binary):
        sign = {"=": "==", "<>": "!="}.get(node.operator, node.operator)
        return f"{translated(node.left, joined)} {sign} {translated(node.right, joined)}"
    return _leaf(node)


def _leaf(node: Node) -> str:
    match node:
        case Text() | Number():
            return repr(node.value)
        case Attribute():
            return _name(node.folded)
        case Parameter():
            return "fqdn"
        case Word():
            return {"true": "True", "false": "False", "null": "None"}[node.folded]
        case _:
            raise NotImplementedError(type(node).__name__)


def _name(attribute: str) -> str:
    return "a_" + attribute.replace("-", "_")


# -- the contenders ----------------------------------------------------------------------------------------

Run = Callable[[], Sequence[Any]]


def fourcheck_runs() -> tuple[Run, Run]:
    """Return all mappings for the object, and the same with their traces."""
    expressions = [compile_expression(text) for text in mappings()]
    context = Context(parameters={"Domain.FQDN": FQDN})
    return (
        lambda: [expression.evaluate(OBJECT, context) for expression in expressions],
        lambda: [expression.trace(OBJECT, context) for expression in expressions],
    )


def dictionary_run() -> Run:
    """Return the floor: 60 values read from the dictionary that all of them read from."""
    keys = [*map(str.casefold, (*_DIRECT, *_TRIMMED)), *list(OBJECT)[:30]]
    return lambda: [OBJECT.get(key) for key in keys]


def _names() -> dict[str, Any]:
    names = {
        node.folded for text in mappings() for node in every_node(parse(text)) if isinstance(node, Attribute)
    }
    return {_name(name): OBJECT.get(name) for name in names} | {"fqdn": FQDN}


def simpleeval_run() -> Run:
    """Return simpleeval over trees that were parsed before."""
    evaluator = simpleeval.SimpleEval(functions=dict(FUNCTIONS), names=_names())
    texts = [translated(parse(text), "+") for text in mappings()]
    pairs = [(text, evaluator.parse(text)) for text in texts]
    return lambda: [evaluator.eval(text, previously_parsed=tree) for text, tree in pairs]


def jinja_run() -> Run:
    """Return Jinja2 over expressions that were compiled before."""
    environment = jinja2.Environment(autoescape=False)  # noqa: S701  # expressions, no markup
    environment.globals.update(FUNCTIONS)
    compiled = [
        environment.compile_expression(translated(parse(text), "~"), undefined_to_none=True)
        for text in mappings()
    ]
    names = _names()
    return lambda: [expression(**names) for expression in compiled]


def compared(contenders: Mapping[str, Run]) -> None:
    """Stop where two of them do not agree on a value: what is measured has to be the same work."""
    wanted = [_plain(value) for value in contenders["fourcheck"]()]
    for name in ("simpleeval", "Jinja2"):
        for text, one, other in zip(mappings(), wanted, contenders[name](), strict=True):
            if one != _plain(other):
                raise SystemExit(f"{name} gives {other!r} for {text}, and Fourcheck {one!r}")


def _plain(value: Any) -> Any:
    return None if value in ("", [], None) else value


def measured(contenders: Mapping[str, Run]) -> dict[str, float]:
    """Return the microseconds that each takes for one object: the median over all turns."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    gc.disable()
    try:
        for _ in range(ROUNDS):
            for name, run in contenders.items():
                for _ in range(IN_A_ROW):
                    began = time.perf_counter()
                    run()
                    times[name].append((time.perf_counter() - began) * 1e6)
    finally:
        gc.enable()
    return {name: statistics.median(taken) for name, taken in times.items()}


def main() -> int:
    """Measure and print. What is over its target is said, and no failure: another machine is another time."""
    plain, traced = fourcheck_runs()
    contenders: dict[str, Run] = {
        "dictionary": dictionary_run(),
        "fourcheck": plain,
        "fourcheck, traced": traced,
        "simpleeval": simpleeval_run(),
        "Jinja2": jinja_run(),
    }
    compared(contenders)
    found = measured(contenders)
    table = Table(title=f"{len(mappings())} mappings for one object, half of them nested")
    for column in ("", "µs", "× dictionary", "× fourcheck", "target µs"):
        table.add_column(column, justify="right" if column else "left")
    for name, taken in found.items():
        target = TARGET_US.get(name)
        row = (f"{taken:.1f}", f"{taken / found['dictionary']:.1f}", f"{taken / found['fourcheck']:.2f}")
        table.add_row(name, *row, f"≤ {target:.0f}" if target else "")
    Console().print(table)
    missed = [name for name, target in TARGET_US.items() if found[name] > target] + hostile.show()
    if missed:
        sys.stderr.write(f"over the target on this machine, now: {', '.join(missed)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
