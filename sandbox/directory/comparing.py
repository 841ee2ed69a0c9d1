"""Bring values and assertions of each syntax into comparable form."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sandbox.directory.dn import InvalidNameError, Name, parse_bytes, prepare
from sandbox.directory.schema import CATEGORIES, CLASSES, Syntax
from sandbox.directory.tree import guid_from_text, sid_from_text

if TYPE_CHECKING:
    from sandbox.directory.tree import Tree

Comparable = str | int | bytes | Name


def value_key(syntax: Syntax, raw: bytes) -> Comparable | None:
    """Return the comparable form of a stored value, None when it has none."""
    return _KEYS.get(syntax, _prepared)(raw)


def assertion_key(tree: Tree, attribute: str, syntax: Syntax, raw: bytes) -> Comparable | None:
    """Return the comparable form of what a filter asserts, None when it can match nothing."""
    text = raw.decode(errors="replace")
    if syntax is Syntax.CLASS:
        return value_key(syntax, CLASSES.get(text, text).encode())
    if syntax is Syntax.GUID:
        return raw if len(raw) == 16 else guid_from_text(text)
    if syntax is Syntax.SID:
        return sid_from_text(text) if text.upper().startswith("S-") else raw
    if syntax is Syntax.NAME:
        if attribute.lower() == "objectcategory" and "=" not in text:
            known = CATEGORIES.get(text.lower())
            return (
                value_key(syntax, f"CN={known},CN=Schema,CN=Configuration,{tree.base_dn}".encode())
                if known
                else None
            )
        return _name_assertion(tree, text, raw)
    return value_key(syntax, raw)


def _name_assertion(tree: Tree, text: str, raw: bytes) -> Comparable | None:
    """Read a DN in a filter: the usual form, or `<GUID=…>` and `<SID=…>`."""
    if text.startswith("<") and text.endswith(">"):
        kind, _, rest = text[1:-1].partition("=")
        found = None
        if kind.upper() == "GUID" and (guid := guid_from_text(rest)) is not None:
            found = tree.by_guid(guid)
        if kind.upper() == "SID" and (sid := sid_from_text(rest)) is not None:
            found = tree.by_sid(sid)
        return found.name if found else None
    return value_key(Syntax.NAME, raw)


def _number(raw: bytes) -> int | None:
    try:
        return int(raw)
    except ValueError:
        return None


def _moment(raw: bytes) -> str | None:
    """Cut `20240603081500.0Z` and `20240603081500Z` to the second."""
    text = raw.decode(errors="replace")
    digits = text[:14]
    return digits if len(digits) == 14 and digits.isdigit() else None


def _name(raw: bytes) -> Name | None:
    try:
        return parse_bytes(raw)
    except InvalidNameError:
        return None


def _prepared(raw: bytes) -> str | bytes:
    try:
        return prepare(raw.decode())
    except UnicodeDecodeError:
        return raw


_KEYS: Final[dict[Syntax, Callable[[bytes], Comparable | None]]] = {
    Syntax.INTEGER: _number,
    Syntax.NAME: _name,
    Syntax.OCTETS: bytes,
    Syntax.GUID: bytes,
    Syntax.SID: bytes,
    Syntax.TIME: _moment,
}
