"""Query options: what may be asked, filtered, selected, sorted and paged, and how the answer is built."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from sandbox.tenant import facts, filters
from sandbox.tenant.errors import RESOURCE_NAMES, refuse
from sandbox.tenant.protocol import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sandbox.tenant.protocol import Call
    from sandbox.tenant.store import Entry, State

DEFAULT_PAGE = 100
LARGEST_PAGE = 999
CLAUSE_LIMIT = 15
KNOWN_OPTIONS = frozenset(
    {"$filter", "$select", "$top", "$count", "$expand", "$orderby", "$search", "$skiptoken"}
)
_SORTABLE = frozenset({"displayName", "userPrincipalName"})
_EXPAND_MANAGER = re.compile(r"manager(?:\(\$select=(?P<select>[^()]*)\))?")
_ENDS_WITH = frozenset({"mail", "otherMails", "userPrincipalName", "proxyAddresses"})


@dataclass(frozen=True, slots=True)
class Query:
    """The options of one read, checked."""

    filter: filters.Node | None
    select: tuple[str, ...] | None
    top: int
    offset: int
    counted: bool
    order: tuple[str, bool] | None
    expand_manager: tuple[str, ...] | None
    everything: bool


def read_query(call: Call, kinds: Sequence[str]) -> Query:
    """Check the query options of a read of `kinds` ("user", "group"); refuse as Graph does."""
    options = _options(call)
    advanced = call.header("consistencylevel").lower() == "eventual"
    counted = advanced and options.get("$count", "").lower() == "true"
    node = None
    if "$filter" in options:
        node = filters.parse(options["$filter"])
        _FilterCheck(kinds, advanced=counted).check(node)
    if "$search" in options:
        raise refuse("search_clause" if advanced else "search_needs_header")
    return Query(
        filter=node,
        select=_select(options.get("$select"), kinds),
        top=_page_size(options.get("$top")),
        offset=_offset(call, options.get("$skiptoken")),
        counted=counted,
        order=_order(options, advanced=counted),
        expand_manager=_expand(options.get("$expand"), kinds),
        everything=call.version == "beta",
    )


def _options(call: Call) -> dict[str, str]:
    options: dict[str, str] = {}
    for name, value in call.query:
        if not name.startswith("$"):
            continue
        if name not in KNOWN_OPTIONS or name in options:
            raise refuse("unknown_option", option=name)
        options[name] = value
    return options


def _select(text: str | None, kinds: Sequence[str]) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    known = facts.load().properties
    for name in names:
        if name != "*" and not any(name in known[kind] for kind in kinds):
            raise refuse("unknown_query_property", property=name)
    return names


def _page_size(text: str | None) -> int:
    if text is None:
        return DEFAULT_PAGE
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= LARGEST_PAGE:
        raise refuse("bad_page_size", value=text)
    return int(text)


def _order(options: dict[str, str], *, advanced: bool) -> tuple[str, bool] | None:
    if "$orderby" not in options:
        return None
    name, _, direction = options["$orderby"].strip().partition(" ")
    direction = direction.strip().lower()
    if name not in _SORTABLE or direction not in {"", "asc", "desc"}:
        raise refuse("orderby_unsupported")
    if "$filter" in options and not advanced:
        raise refuse("orderby_unsupported")
    return name, direction == "desc"


def _expand(text: str | None, kinds: Sequence[str]) -> tuple[str, ...] | None:
    if text is None:
        return None
    match = _EXPAND_MANAGER.fullmatch(text.strip())
    if match is None or tuple(kinds) != ("user",):
        name = text.partition("(")[0]
        raise refuse("expand_unsupported", property=name, kind=kinds[0])
    inner = match.group("select")
    return _select(inner, ("user",)) if inner else facts.load().default_projection("user")


class _FilterCheck:
    """Refuse what the directory does not index: by property, by operator, without the advanced parameters."""

    def __init__(self, kinds: Sequence[str], *, advanced: bool) -> None:
        self._kinds = kinds
        self._advanced = advanced

    def check(self, node: filters.Node, element_of: str = "", variable: str = "") -> None:
        """Walk the expression; `element_of` is the list property whose elements are looked at."""
        match node:
            case filters.Logical(_, left, right):
                _refuse_many(_clauses(node))
                self.check(left, element_of, variable)
                self.check(right, element_of, variable)
            case filters.Not(operand):
                self._needs_advanced("not")
                self.check(operand, element_of, variable)
            case filters.AnyOf(path, inner, condition):
                self._any(path, inner, condition)
            case filters.Compare(path, operator, value):
                self._comparison(path, operator, (value,), element_of, variable)
            case filters.OneOf(path, values):
                _refuse_many(len(values))
                self._comparison(path, "in", values, element_of, variable)
            case filters.Affix(function, path, _):
                self._affix(function, path, element_of, variable)

    def _any(self, path: str, variable: str, condition: filters.Node | None) -> None:
        known = self._property(path)
        if not known.is_list or not known.operators:
            raise self._unsupported(path)
        if condition is not None:
            self.check(condition, path, variable)

    def _comparison(
        self,
        path: str,
        operator: str,
        values: Sequence[filters.Literal],
        element_of: str,
        variable: str,
    ) -> None:
        known = self._leaf(path, element_of, variable)
        if operator == "ne":
            self._needs_advanced("ne")
        indexed = {"ne": "eq", "gt": "ge", "lt": "le"}.get(operator, operator)
        if indexed not in known.operators:
            raise self._unsupported(path)
        for value in values:
            if value is None and not self._advanced:
                raise self._unsupported(path)
            if value is not None and not _comparable(known.type, value):
                reason = f"A binary operator with incompatible types was detected for property '{path}'."
                raise refuse("filter_syntax", reason=reason)

    def _affix(self, function: str, path: str, element_of: str, variable: str) -> None:
        known = self._leaf(path, element_of, variable)
        if function not in known.operators or (function == "endsWith" and known.name not in _ENDS_WITH):
            raise self._unsupported(path)
        if function == "endsWith":
            self._needs_advanced("endsWith")

    def _leaf(self, path: str, element_of: str, variable: str) -> facts.Property:
        """Find the property that a condition is about and check that it can be filtered here."""
        if element_of:
            if path.split("/", maxsplit=1)[0] != variable:
                raise self._unsupported(path)
            return self._property(element_of)
        name, slash, member = path.partition("/")
        known = self._property(name)
        if known.is_list or bool(slash) != bool(known.members) or (slash and member not in known.members):
            raise self._unsupported(path)
        if known.advanced and not self._advanced:
            raise self._unsupported(path)
        return known

    def _property(self, name: str) -> facts.Property:
        for kind in self._kinds:
            known = facts.load().properties[kind].get(name)
            if known is not None:
                return known
        raise refuse("unknown_query_property", property=name)

    def _needs_advanced(self, operator: str) -> None:
        if not self._advanced:
            raise refuse("advanced_operator", operator=operator)

    def _unsupported(self, path: str) -> Exception:
        return refuse("filter_clause", property=path, resource=RESOURCE_NAMES[self._kinds[0]])


def _refuse_many(clauses: int) -> None:
    if clauses > CLAUSE_LIMIT:
        raise refuse("too_many_clauses", count=clauses)


def _comparable(kind: str, value: filters.Literal) -> bool:
    """Say whether a literal fits a property: texts are quoted, dates are not."""
    if kind == "boolean":
        return isinstance(value, bool)
    return isinstance(value, str) and isinstance(value, filters.Bare) == (kind == "date-time")


def _clauses(node: filters.Node) -> int:
    if isinstance(node, filters.Logical) and node.operator == "or":
        return _clauses(node.left) + _clauses(node.right)
    return 1


def answer_list(
    call: Call, state: State, entries: Iterable[Entry], kinds: Sequence[str], context: str
) -> Reply:
    """Filter, sort, page and render `entries`; `context` is the entity set named in @odata.context."""
    query = read_query(call, kinds)
    found = [
        entry for entry in entries if query.filter is None or filters.matches(query.filter, entry.properties)
    ]
    if query.order is not None:
        name, descending = query.order
        found.sort(key=lambda entry: str(entry.get(name) or "").casefold(), reverse=descending)
    page = found[query.offset : query.offset + query.top]
    body: dict[str, Any] = {"@odata.context": context_url(call, context, query.select)}
    if query.counted:
        body["@odata.count"] = len(found)
    if query.offset + query.top < len(found):
        body["@odata.nextLink"] = _next_link(call, query.offset + query.top)
    polymorphic = len(kinds) > 1
    body["value"] = [render(entry, query, state, typed=polymorphic) for entry in page]
    return Reply(200, body)


def answer_count(call: Call, entries: Iterable[Entry], kinds: Sequence[str]) -> Reply:
    """Answer a `/$count` segment, which only an eventual reader may ask."""
    if call.header("consistencylevel").lower() != "eventual":
        raise refuse("count_unsupported")
    node = None
    for name, value in call.query:
        if name == "$filter":
            node = filters.parse(value)
            _FilterCheck(kinds, advanced=True).check(node)
    return Reply(
        200, str(sum(1 for entry in entries if node is None or filters.matches(node, entry.properties)))
    )


def answer_one(call: Call, state: State, entry: Entry, context: str, *, typed: bool = False) -> Reply:
    """Render one object with the $select and $expand of the call."""
    query = read_query(call, (entry.kind,))
    body = {"@odata.context": context_url(call, context, query.select) + "/$entity"}
    return Reply(200, body | render(entry, query, state, typed=typed))


def render(entry: Entry, query: Query, state: State, *, typed: bool = False) -> dict[str, Any]:
    """Give an object as Graph does: the selected or default properties, lists never null."""
    known = facts.load().properties[entry.kind]
    names = query.select or (("*",) if query.everything else facts.load().default_projection(entry.kind))
    if "*" in names:
        names = tuple(name for name, one in known.items() if not one.navigation)
    rendered: dict[str, Any] = {"@odata.type": f"#microsoft.graph.{entry.kind}"} if typed else {}
    for name in names:
        if name in known and not known[name].navigation:
            rendered[name] = value_of(entry, known[name])
    if query.expand_manager is not None and entry.manager in state.live:
        manager = state.live[entry.manager]
        inner = {name: value_of(manager, known[name]) for name in query.expand_manager if name in known}
        rendered["manager"] = {"@odata.type": "#microsoft.graph.user"} | inner
    return rendered


def value_of(entry: Entry, known: facts.Property) -> Any:
    """Give one property as it goes over the wire."""
    value = entry.get(known.name)
    if known.name == "passwordProfile":
        return None
    if known.is_list:
        return list(value or [])
    if known.name == "onPremisesExtensionAttributes":
        return {member: (value or {}).get(member) for member in known.members}
    return value


def created(call: Call, entry: Entry, context: str) -> Reply:
    """Answer a create: the default properties and where the object is."""
    known = facts.load().properties[entry.kind]
    body: dict[str, Any] = {"@odata.context": context_url(call, context, None) + "/$entity"}
    for name in facts.load().default_projection(entry.kind):
        body[name] = value_of(entry, known[name])
    location = f"{call.base}/{entry.kind}s/{entry.id}"
    return Reply(201, body, {"Location": location})


def context_url(call: Call, context: str, select: tuple[str, ...] | None) -> str:
    """Build @odata.context from the request's own host."""
    chosen = f"({','.join(select)})" if select else ""
    return f"{call.base}/$metadata#{context}{chosen}"


def _fingerprint(call: Call) -> str:
    asked = [call.target.partition("?")[0], *sorted(f"{n}={v}" for n, v in call.query if n != "$skiptoken")]
    return hashlib.sha256("\n".join(asked).encode()).hexdigest()[:16]


def _next_link(call: Call, offset: int) -> str:
    token = json.dumps([offset, _fingerprint(call)]).encode()
    kept = [(name, value) for name, value in call.query if name != "$skiptoken"]
    kept.append(("$skiptoken", base64.urlsafe_b64encode(token).decode().rstrip("=")))
    origin = call.base.rpartition("/")[0]
    return f"{origin}{call.target.partition('?')[0]}?{urlencode(kept, safe='$', quote_via=quote)}"


def _offset(call: Call, token: str | None) -> int:
    """Read a page token back; one of another query, or a made-up one, has expired."""
    if token is None:
        return 0
    try:
        offset, fingerprint = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, TypeError):
        raise refuse("bad_page_token") from None
    if not isinstance(offset, int) or offset < 0 or fingerprint != _fingerprint(call):
        raise refuse("bad_page_token")
    return offset
