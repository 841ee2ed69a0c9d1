"""Find what a person means: a button by its text, an option by what it says, a field by its label."""

from __future__ import annotations

from typing import Any

from sandbox.workspace.blockrules import elements_of
from sandbox.workspace.errors import BadRequestError
from sandbox.workspace.payloads import MANY, VALUE_FIELDS

Node = dict[str, Any]
Found = tuple[Node, Node]
"""A block and its element."""


def interactive(blocks: list[Node]) -> list[tuple[str, Node, Node]]:
    """List what a person can use: its place `block.element`, the block, the element."""
    found = []
    for index, block in enumerate(blocks):
        usable = [element for _, element in elements_of(block) if "action_id" in element]
        found += [(f"{index}.{place}", block, element) for place, element in enumerate(usable)]
    return found


def choose(blocks: list[Node], action: object, *, value: object = None, beside: object = None) -> Found:
    """Find the one element that is meant.

    Args:
        blocks: of a message or a view.
        action: the visible text, an option's text, the action_id, the block's position (`3`), or block and
            element (`"3.1"`).
        value: where several say the same, the button's value.
        beside: where several say the same, a text that stands in the same block.

    Raises:
        BadRequestError: none fits, or more than one.

    """
    everything = interactive(blocks)
    named = [entry for entry in everything if _is_named(entry, action)]
    if beside is not None:
        named = [entry for entry in named if str(beside).casefold() in _text_of(entry[1]).casefold()]
    if len(named) > 1 and value is not None:
        named = [entry for entry in named if entry[2].get("value") == value]
    if len(named) == 1:
        return named[0][1], named[0][2]
    there = "; ".join(
        f"{place} {_label(element)!r} ({element['action_id']})" for place, _, element in everything
    )
    many = f"{len(named)} elements are" if named else "Nothing is"
    raise BadRequestError(f"{many} called {action!r} here. There is: {there or 'nothing to use'}.")


def _is_named(entry: tuple[str, Node, Node], action: object) -> bool:
    place, _block, element = entry
    if str(action).isdigit() and place.split(".")[0] == str(action):
        return True
    options = [option["text"]["text"] for option in _known_options(element)]
    return action in (place, element["action_id"], _label(element), *options)


def _label(element: Node) -> str:
    text = element.get("text") or element.get("placeholder") or {}
    return str(text.get("text", ""))


def _text_of(node: object) -> str:
    if isinstance(node, list):
        return " ".join(map(_text_of, node))
    if isinstance(node, dict):
        own = node["text"] if isinstance(node.get("text"), str) else ""
        return f"{own} {' '.join(_text_of(child) for child in node.values())}"
    return ""


def chosen(element: Node, given: object, offered: list[Node]) -> Node:
    """Write the value that an element gets: an option found by value or text, or what was typed.

    Args:
        element: the element.
        given: what the person typed or picked; a list where several can be picked, `None` to clear.
        offered: the options that the app offered for an external select.

    """
    kind = element["type"]
    if kind == "overflow":
        return {"selected_option": _option(element, given, [])}
    if kind not in VALUE_FIELDS:
        return {}
    name, _initial = VALUE_FIELDS[kind]
    if name == "selected_option":
        picked: Any = None if given is None else _option(element, given, offered)
    elif name == "selected_options":
        picked = [_option(element, one, offered) for one in _as_list(given)]
    elif name in MANY:
        picked = [str(one) for one in _as_list(given)]
    else:
        picked = None if given in (None, "") else given
    return {"type": kind, name: picked}


def _as_list(given: object) -> list[object]:
    if given is None:
        return []
    return given if isinstance(given, list) else [given]


def _option(element: Node, given: object, offered: list[Node]) -> Node:
    initial = [element["initial_option"]] if "initial_option" in element else []
    options: list[Node] = [*_known_options(element), *offered, *initial, *element.get("initial_options", [])]
    for option in options:
        if given in (option["value"], option["text"]["text"]):
            return option
    texts = ", ".join(repr(option["text"]["text"]) for option in options)
    raise BadRequestError(f"There is no option {given!r}; there are {texts or 'none'}.")


def _known_options(element: Node) -> list[Node]:
    groups = element.get("option_groups", [])
    return [*element.get("options", []), *(option for group in groups for option in group["options"])]


def fields_of(blocks: list[Node]) -> list[Found]:
    """List the elements that keep a value, with their blocks."""
    return [(block, element) for _, block, element in interactive(blocks) if element["type"] in VALUE_FIELDS]


def choose_field(blocks: list[Node], name: str) -> Found:
    """Find a field by its label, its block_id or its action_id."""
    for block, element in fields_of(blocks):
        label = (block.get("label") or {}).get("text")
        if name in (label, block["block_id"], element["action_id"]):
            return block, element
    labels = [(b.get("label") or {}).get("text") or e["action_id"] for b, e in fields_of(blocks)]
    raise BadRequestError(f"There is no field {name!r} here; there are {labels}.")
