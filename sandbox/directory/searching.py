"""The search operation: from a decoded request to the messages of its answer."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sandbox.directory import ber
from sandbox.directory.dn import InvalidNameError, Name, is_below, parse
from sandbox.directory.faults import FaultKind
from sandbox.directory.filters import compile_filter
from sandbox.directory.requests import MalformedError, read_pair, read_single
from sandbox.directory.rootdse import (
    CONTROLS,
    DOMAIN_SCOPE,
    EXTENDED_DN,
    PAGED,
    SHOW_DELETED,
    SHOW_RECYCLED,
    root_dse,
)
from sandbox.directory.selecting import RangeError, Selection
from sandbox.directory.tree import guid_from_text, sid_from_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from sandbox.directory.faults import Fault
    from sandbox.directory.filters import Predicate
    from sandbox.directory.policy import DirectoryPolicy
    from sandbox.directory.recording import Recorded
    from sandbox.directory.requests import Control, Filter, Search
    from sandbox.directory.session import Directory
    from sandbox.directory.tree import Node, Tree

BASE: Final = 0
ONE_LEVEL: Final = 1
_YIELD_EVERY: Final = 200
_BAD_NAME: Final = "0000208F: NameErr: DSID-03100225, problem 2006 (BAD_NAME), data 8350\0"
_WELL_KNOWN: Final = {
    "a9d1ca15768811d1aded00c04fd8d5cd": "CN=Users",
    "aa312825768811d1aded00c04fd8d5cd": "CN=Computers",
    "a361b2ffffd211d1aa4b00c04fd7d83a": "OU=Domain Controllers",
    "18e2ea80684f11d2b9aa00c04f79f805": "CN=Deleted Objects",
}


# An operation and the controls that go with it.
Part = tuple[bytes, list[tuple[str, bytes]]]


class SearchError(Exception):
    """Carry a result code other than success."""

    def __init__(self, code: int, text: str = "", matched: str = "", referral: str | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.matched = matched
        self.referrals = [referral] if referral else []


@dataclass(frozen=True, slots=True)
class Request:
    """Hold a search request in plain Python values."""

    base: str
    scope: int
    size_limit: int
    time_limit: int
    filter: Filter
    selection: Selection
    controls: dict[str, bytes]


@dataclass(slots=True)
class Page:
    """Remember where a paged search stands."""

    nodes: list[Node]
    size_limit_hit: bool
    references: list[str]


@dataclass(slots=True)
class Searcher:
    """Answer the searches of one connection; paged searches live as long as it does."""

    directory: Directory
    pages: dict[bytes, Page] = field(default_factory=dict)

    @property
    def tree(self) -> Tree:
        """Return the entries."""
        return self.directory.tree

    @property
    def policy(self) -> DirectoryPolicy:
        """Return the limits that hold at this moment."""
        return self.directory.policy

    async def answer(self, request: Request, fault: Fault | None, recorded: Recorded) -> AsyncIterator[Part]:
        """Yield operations with their controls, the last being the SearchResultDone; note what went out."""
        try:
            async for operation in self._answer(request, fault):
                recorded.entries += operation[0][0] == ber.SEARCH_ENTRY
                if operation[0][0] == ber.SEARCH_DONE:
                    recorded.code = ber.code_of(operation[0])
                yield operation
        except SearchError as error:
            recorded.code = error.code
            done = ber.result(ber.SEARCH_DONE, error.code, error.matched, error.text, error.referrals)
            yield done, []

    async def _answer(self, request: Request, fault: Fault | None) -> AsyncIterator[Part]:
        if request.base.strip(" ") == "" and request.scope == BASE:
            attributes = root_dse(self.tree, request.selection.names)
            yield ber.entry("", attributes), []
            yield ber.result(ber.SEARCH_DONE, 0), []
            return
        paging = request.controls.get(PAGED)
        size, cookie = _paged_request(paging) if paging is not None else (0, b"")
        page = self.pages.pop(cookie, None) if cookie else await self._gather(request)
        if page is None:
            raise SearchError(
                12, "00000057: LdapErr: DSID-0C0908F4, comment: Error processing control, data 0\0"
            )
        limit = self.policy.max_page_size
        if paging is not None:
            limit = min(size, limit) if size else (0 if cookie else limit)
        sent, page.nodes = page.nodes[:limit], page.nodes[limit:]
        cut_short = (
            fault.kind if fault and fault.kind in {FaultKind.SIZE_LIMIT, FaultKind.TIME_LIMIT} else None
        )
        for number, node in enumerate(sent):
            if cut_short is not None and number == 1:
                break
            if number % _YIELD_EVERY == _YIELD_EVERY - 1:
                await asyncio.sleep(0)
            yield self._entry(request, node), []
        if cut_short is not None:
            raise SearchError(4 if cut_short is FaultKind.SIZE_LIMIT else 3, "the limit was ordered")
        more = bool(page.nodes) and (paging is None or size > 0)
        if not more and not page.size_limit_hit:
            for url in page.references:
                yield ber.reference([url]), []
        yield self._done(page, more=more, paged=paging is not None)

    def _entry(self, request: Request, node: Node) -> bytes:
        try:
            attributes = request.selection.pick(self.tree, node, self.policy)
        except RangeError as error:
            raise SearchError(53, f"00002035: range request error: {error}") from error
        return ber.entry(request.selection.entry_name(self.tree, node), attributes)

    def _done(self, page: Page, *, more: bool, paged: bool) -> Part:
        if not paged:
            code = 4 if more or page.size_limit_hit else 0
            return ber.result(ber.SEARCH_DONE, code), []
        cookie = b""
        if more:
            cookie = secrets.token_bytes(16)
            self.pages[cookie] = page
        code = 4 if not more and page.size_limit_hit else 0
        return ber.result(ber.SEARCH_DONE, code), [(PAGED, ber.paged_value(0, cookie))]

    async def _gather(self, request: Request) -> Page:
        base = self._base(request)
        predicate = compile_filter(self.tree, request.filter)
        found = await self._matching(base, request, predicate)
        hit = bool(request.size_limit) and len(found) > request.size_limit
        references = []
        if request.scope != BASE and base.name == self.tree.base and DOMAIN_SCOPE not in request.controls:
            tail = "??base" if request.scope == ONE_LEVEL else ""
            references = [f"ldap://contoso.test/CN=Configuration,{self.tree.base_dn}{tail}"]
        return Page(found[: request.size_limit] if hit else found, hit, references)

    def _visible(self, node: Node, request: Request) -> bool:
        """Say whether an entry can be seen: tombstones by those who may and who ask for them."""
        asked = SHOW_DELETED in request.controls or SHOW_RECYCLED in request.controls
        return not node.is_deleted or (asked and self.policy.readers_see_deleted)

    async def _matching(self, base: Node, request: Request, predicate: Predicate) -> list[Node]:
        if request.scope == BASE:
            candidates = iter([base])
        elif request.scope == ONE_LEVEL:
            candidates = iter(base.children)
        else:
            candidates = self.tree.below(base)
        found = []
        for number, node in enumerate(candidates):
            if number % _YIELD_EVERY == _YIELD_EVERY - 1:
                await asyncio.sleep(0)
            if self._visible(node, request) and predicate(node):
                found.append(node)
        return found

    def _base(self, request: Request) -> Node:
        text = request.base.strip(" ")
        if text.startswith("<"):
            node = self._by_identity(text)
            if node is None or not self._visible(node, request):
                raise SearchError(32, no_object(""), "")
            return node
        try:
            name = parse(text)
        except InvalidNameError as error:
            raise SearchError(34, _BAD_NAME) from error
        node = self.tree.by_name(name)
        if node is not None and self._visible(node, request):
            return node
        if not is_below(name, self.tree.base) and (url := _elsewhere(name)):
            host = url.removeprefix("ldap://").partition("/")[0]
            text = f"0000202B: RefErr: DSID-0310082F, data 0, 1 access points\n\tref 1: '{host}'\n\0"
            raise SearchError(10, text, "", url)
        nearest = self.tree.nearest(name)
        matched = nearest.dn if nearest else ""
        raise SearchError(32, no_object(matched), matched)

    def _by_identity(self, text: str) -> Node | None:
        """Find the object of `<GUID=…>`, `<SID=…>` or `<WKGUID=…,DN>`."""
        kind, _, value = text.removeprefix("<").removesuffix(">").partition("=")
        if not text.endswith(">"):
            raise SearchError(34, _BAD_NAME)
        if kind.upper() == "GUID" and "{" not in value and (guid := guid_from_text(value)):
            return self.tree.by_guid(guid)
        if kind.upper() == "SID" and (sid := sid_from_text(value)):
            return self.tree.by_sid(sid)
        if kind.upper() == "WKGUID":
            return self._well_known(*value.partition(",")[::2])
        raise SearchError(34, _BAD_NAME)

    def _well_known(self, guid: str, holder: str) -> Node | None:
        """Find a container that every domain has, whatever it is called there ([MS-ADTS] 6.1.1.4)."""
        try:
            name = parse(holder)
        except InvalidNameError as error:
            raise SearchError(34, _BAD_NAME) from error
        if not name:
            raise SearchError(34, _BAD_NAME)
        known = _WELL_KNOWN.get(guid.lower())
        if known is None or name != self.tree.base:
            return None
        return self.tree.by_name((*parse(known), *name))


def no_object(matched: str) -> str:
    """Return the diagnostic message of noSuchObject, which names the nearest parent."""
    head = "0000208D: NameErr: DSID-03100245, problem 2001 (NO_OBJECT), data 0"
    return f"{head}, best match of:\n\t'{matched}'\n\0"


def read_request(search: Search, controls: Mapping[str, Control], *, may_write: bool = False) -> Request:
    """Make a request of a search and its controls; raise SearchError for an unknown critical control."""
    for oid, control in controls.items():
        if control.critical and oid not in CONTROLS:
            text = f"00000057: LdapErr: DSID-0C0908F4, comment: control {oid} is not supported\0"
            raise SearchError(12, text)
    extended = _extended_flag(controls[EXTENDED_DN].value) if EXTENDED_DN in controls else None
    return Request(
        search.base.decode(errors="replace"),
        search.scope,
        search.size_limit,
        search.time_limit,
        search.filter,
        Selection(search.attributes, types_only=search.types_only, extended_dn=extended, may_write=may_write),
        {oid: control.value for oid, control in controls.items()},
    )


def _paged_request(value: bytes) -> tuple[int, bytes]:
    try:
        return read_pair(value)
    except MalformedError as error:
        raise SearchError(2, "the paged-results control cannot be read") from error


def _extended_flag(value: bytes) -> int:
    try:
        return read_single(value) if value else 0
    except MalformedError as error:
        raise SearchError(2, "the extended-DN control cannot be read") from error


def _elsewhere(name: Name) -> str | None:
    """Return the referral for a name in another domain, None when it has no domain."""
    parts = [value.lower() for kind, value in name if kind == "dc"]
    if not parts:
        return None
    return f"ldap://{'.'.join(parts)}/" + ",".join(f"DC={part}" for part in parts)
