"""Which attributes of an entry go out, and in what pieces.

Sources: RFC 4511 section 4.5.1.8, [MS-ADTS] sections "Range Retrieval of Attribute Values", "Constructed
Attributes" and "LDAP_SERVER_EXTENDED_DN_OID".
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sandbox.directory.schema import Syntax
from sandbox.directory.tree import transitive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sandbox.directory.policy import DirectoryPolicy
    from sandbox.directory.tree import Node, Tree

Picked = tuple[str, tuple[bytes, ...]]

_RANGE: Final = re.compile(r"range=(\d{1,9})-(\d{1,9}|\*)", re.IGNORECASE)
# userAccountControl bits ([MS-ADTS] section "userAccountControl Bits")
_LOCKED: Final = 0x10
_NEVER_EXPIRES: Final = 0x13800  # the password never expires, a trust account of any kind, or a computer
_EXPIRED: Final = 0x800000
_SECURITY_ENABLED: Final = -0x80000000
WRITABLE: Final = "allowedAttributesEffective"  # by whoever asks; a reader may write nothing of others


class RangeError(ValueError):
    """Say that a range is not two numbers, or a number and an asterisk."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Say what a search asked for: attribute names, types only, the form of names."""

    names: tuple[str, ...]
    types_only: bool = False
    extended_dn: int | None = None  # 0: hexadecimal, 1: text, None: plain names
    may_write: bool = False  # whether who asks could write what is read

    def pick(self, tree: Tree, node: Node, policy: DirectoryPolicy) -> list[Picked]:
        """Return the attributes of one entry as they go out; raise RangeError for an impossible range."""
        picked: dict[str, tuple[bytes, ...]] = {}
        for name, values in self._wanted(tree, node, policy):
            picked.setdefault(name, values)
        return [
            (name, () if self.types_only else self._dressed(tree, name, values))
            for name, values in picked.items()
        ]

    def entry_name(self, tree: Tree, node: Node) -> str:
        """Return the entry's name in the form that was asked for."""
        return self._extend(tree, node.dn.encode()).decode() if self.extended_dn is not None else node.dn

    def _wanted(self, tree: Tree, node: Node, policy: DirectoryPolicy) -> Iterator[Picked]:
        names = self.names or ("*",)
        if "*" in names:
            for key, values in node.values.items():
                yield from _cut(node.spelling[key], values, policy)
        for asked in names:
            if self.may_write and asked.lower() == WRITABLE.lower():
                yield WRITABLE, tuple(name.encode() for name in tree.schema.stored())
            yield from _named(tree, node, asked, policy)

    def _dressed(self, tree: Tree, name: str, values: tuple[bytes, ...]) -> tuple[bytes, ...]:
        if self.extended_dn is None or tree.schema.syntax(name.partition(";")[0]) is not Syntax.NAME:
            return values
        return tuple(self._extend(tree, value) for value in values)

    def _extend(self, tree: Tree, raw: bytes) -> bytes:
        node = tree.by_value(raw)
        if node is None:
            return raw
        parts = []
        for guid in node.get("objectGUID"):
            text = str(uuid.UUID(bytes_le=guid)) if self.extended_dn == 1 else guid.hex()
            parts.append(f"<GUID={text}>")
        for sid in node.get("objectSid"):
            text = sid_text(sid) if self.extended_dn == 1 else sid.hex()
            parts.append(f"<SID={text}>")
        return ";".join([*parts, raw.decode()]).encode()


def _named(tree: Tree, node: Node, asked: str, policy: DirectoryPolicy) -> Iterator[Picked]:
    """Yield one attribute that was asked for by name; one the schema lacks is passed over in silence."""
    name, _, option = asked.partition(";")
    spelling = tree.schema.spelling(name)
    if spelling is None:
        return
    if tree.schema.is_constructed(name):
        yield from _built(tree, node, spelling)
    elif (values := node.get(spelling)) and not option:
        yield from _cut(spelling, values, policy)
    elif option.lower().startswith("range="):
        match = _RANGE.fullmatch(option)
        if match is None:
            raise RangeError("range request malformed")
        if values:
            yield _slice(spelling, values, match, policy)


def sid_text(raw: bytes) -> str:
    """Write a binary SID as text."""
    words = [int.from_bytes(raw[8 + 4 * index : 12 + 4 * index], "little") for index in range(raw[1])]
    return "-".join(["S", str(raw[0]), str(int.from_bytes(raw[2:8], "big")), *map(str, words)])


def _cut(name: str, values: tuple[bytes, ...], policy: DirectoryPolicy) -> Iterator[Picked]:
    """Pass values on, or their first piece when there are more than MaxValRange.

    The plain name then comes along without values, as domain controllers send it.
    """
    if len(values) <= policy.max_value_range:
        yield name, values
        return
    yield name, ()
    yield f"{name};range=0-{policy.max_value_range - 1}", values[: policy.max_value_range]


def _slice(name: str, values: tuple[bytes, ...], match: re.Match[str], policy: DirectoryPolicy) -> Picked:
    first = int(match[1])
    last = len(values) - 1 if match[2] == "*" else int(match[2])
    if first >= len(values) or last < first:
        return f"{name};{match[0].lower()}", ()
    last = min(last, first + policy.max_value_range - 1)
    if last >= len(values) - 1:
        return f"{name};range={first}-*", values[first:]
    return f"{name};range={first}-{last}", values[first : last + 1]


def _built(tree: Tree, node: Node, name: str) -> Iterator[Picked]:
    values = tuple(_construct(tree, node, name))
    if values:
        yield name, values


def _construct(tree: Tree, node: Node, name: str) -> Iterable[bytes]:
    """Compute one constructed attribute."""
    renamed = _COPIES.get(name)
    return node.get(renamed) if renamed else _COMPUTED[name](tree, node)


def _nothing(_tree: Tree, _node: Node) -> Iterable[bytes]:
    return ()


def _subschema(tree: Tree, _node: Node) -> Iterable[bytes]:
    return [f"CN=Aggregate,CN=Schema,CN=Configuration,{tree.base_dn}".encode()]


def _parent_guid(_tree: Tree, node: Node) -> Iterable[bytes]:
    return node.parent.get("objectGUID") if node.parent else ()


def _primary_group_token(_tree: Tree, node: Node) -> Iterable[bytes]:
    if b"group" not in node.get("objectClass"):
        return ()
    return [str(int.from_bytes(node.get("objectSid")[0][-4:], "little")).encode()]


def _account_control(_tree: Tree, node: Node) -> Iterable[bytes]:
    if b"user" not in node.get("objectClass"):
        return ()
    flags = _LOCKED if node.number("lockoutTime") else 0
    if node.get("pwdLastSet") == (b"0",) and not node.number("userAccountControl") & _NEVER_EXPIRES:
        flags |= _EXPIRED
    return [str(flags).encode()]


def _principal_name(_tree: Tree, node: Node) -> Iterable[bytes]:
    return [b"CONTOSO\\" + account for account in node.get("sAMAccountName")]


def _canonical(tree: Tree, node: Node) -> Iterable[bytes]:
    """Write `contoso.test/Contoso/Corp/…/Ada Lovelace`; slashes in names are escaped."""
    names: list[str] = []
    current: Node | None = node
    while current is not None and current.name != tree.base:
        names.append(current.get("name")[0].decode().replace("\\", "\\\\").replace("/", "\\/"))
        current = current.parent
    domain = ".".join(value for _, value in tree.base).lower()
    return [f"{domain}/{'/'.join(reversed(names))}".encode()]


def may_write(tree: Tree, account: Node | None) -> bool:
    """Say whether an account is an administrator: of this machine's domain or of all there are."""
    if account is None:
        return False
    sids = (sid_text(sid) for sid in _token_groups(tree, account))
    return any(sid == "S-1-5-32-544" or sid.endswith(("-512", "-519")) for sid in sids)


def _token_groups(tree: Tree, node: Node) -> Iterable[bytes]:
    """Return the SIDs of every security group the account is in, directly or not, its primary group first."""
    if not node.get("sAMAccountName"):
        return ()
    sids: dict[bytes, None] = {}
    starts = [node]
    primary = node.number("primaryGroupID")
    if primary:
        sid = node.get("objectSid")[0][:-4] + primary.to_bytes(4, "little")
        sids[sid] = None
        group = tree.by_sid(sid)
        if group is not None:
            starts.append(group)
    for start in starts:
        for group in transitive(tree, start, "memberOf"):
            if group.number("groupType") & _SECURITY_ENABLED:
                sids.update(dict.fromkeys(group.get("objectSid")))
    return list(sids)


_COPIES: Final = {
    "createTimeStamp": "whenCreated",
    "modifyTimeStamp": "whenChanged",
    "structuralObjectClass": "objectClass",
}
_COMPUTED: Final[dict[str, Callable[[Tree, Node], Iterable[bytes]]]] = {
    WRITABLE: _nothing,
    "canonicalName": _canonical,
    "msDS-PrincipalName": _principal_name,
    "msDS-User-Account-Control-Computed": _account_control,
    "parentGUID": _parent_guid,
    "primaryGroupToken": _primary_group_token,
    "subSchemaSubEntry": _subschema,
    "tokenGroups": _token_groups,
}
