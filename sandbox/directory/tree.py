"""The entries in memory: found by name, GUID or SID, with the back-links a directory keeps."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.directory.dn import InvalidNameError, Name, is_below, parse, parse_bytes
from sandbox.directory.schema import BACK_LINKS, Schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sandbox.people import Entry


@dataclass(slots=True)
class Node:
    """Hold one entry in the tree; `values` is keyed by the lower-case attribute name."""

    dn: str
    name: Name
    spelling: dict[str, str]
    values: dict[str, tuple[bytes, ...]]
    children: list[Node] = field(default_factory=list)
    parent: Node | None = None

    @property
    def is_deleted(self) -> bool:
        """Say whether this is a tombstone."""
        return self.values.get("isdeleted") == (b"TRUE",)

    def get(self, attribute: str) -> tuple[bytes, ...]:
        """Return the stored values of an attribute, empty when it has none."""
        return self.values.get(attribute.lower(), ())

    def number(self, attribute: str) -> int:
        """Return the first value as a number, 0 when there is none."""
        values = self.get(attribute)
        return int(values[0]) if values else 0


class Tree:
    """Hold the whole directory, read-only once built."""

    def __init__(self, entries: Sequence[Entry], base_dn: str) -> None:
        self.schema = Schema(entries)
        self.base_dn = base_dn
        self.base = parse(base_dn)
        self._by_name: dict[Name, Node] = {}
        self._by_guid: dict[bytes, Node] = {}
        self._by_sid: dict[bytes, Node] = {}
        for entry in entries:
            self._insert(entry)
        self._sort_links()
        self._link_back()

    def __iter__(self) -> Iterator[Node]:
        return iter(self._by_name.values())

    def by_name(self, name: Name) -> Node | None:
        """Return the entry of that name."""
        return self._by_name.get(name)

    def by_value(self, raw: bytes) -> Node | None:
        """Return the entry that a DN value points at, or None."""
        try:
            return self._by_name.get(parse_bytes(raw))
        except InvalidNameError:
            return None

    def by_guid(self, raw: bytes) -> Node | None:
        """Return the entry with that objectGUID."""
        return self._by_guid.get(raw)

    def by_sid(self, raw: bytes) -> Node | None:
        """Return the entry with that objectSid."""
        return self._by_sid.get(raw)

    def nearest(self, name: Name) -> Node | None:
        """Return the closest existing ancestor of a name that does not exist, for matchedDN."""
        while name:
            name = name[1:]
            node = self._by_name.get(name)
            if node is not None and not node.is_deleted and is_below(name, self.base):
                return node
        return None

    def below(self, node: Node) -> Iterator[Node]:
        """Yield an entry and everything below it, parents first."""
        waiting = [node]
        while waiting:
            current = waiting.pop()
            yield current
            waiting.extend(reversed(current.children))

    def _insert(self, entry: Entry) -> None:
        name = parse(entry.dn)
        values = {key.lower(): value for key, value in entry.attributes.items()}
        spelling = {key.lower(): key for key in entry.attributes}
        node = Node(entry.dn, name, spelling, values, parent=self._by_name.get(name[1:]))
        if name in self._by_name:
            raise ValueError(f"two entries are named {entry.dn}")
        if node.parent is None and name != self.base:
            raise ValueError(f"{entry.dn} has no parent")
        self._by_name[name] = node
        if node.parent is not None:
            node.parent.children.append(node)
        for guid in values.get("objectguid", ()):
            self._by_guid[guid] = node
        for sid in values.get("objectsid", ()):
            self._by_sid[sid] = node

    def _sort_links(self) -> None:
        """Bring linked values into the order of their targets' GUIDs: as good as any, and always the same."""
        for node in self:
            for forward in BACK_LINKS:
                if len(values := node.get(forward)) > 1:
                    node.values[forward.lower()] = tuple(sorted(values, key=self._guid_of))

    def _guid_of(self, value: bytes) -> bytes:
        node = self.by_value(value)
        return node.get("objectGUID")[0] if node is not None else b""

    def _link_back(self) -> None:
        for forward, back in BACK_LINKS.items():
            found: dict[Name, list[bytes]] = {}
            for node in self:
                if node.is_deleted:
                    continue
                for value in node.get(forward):
                    target = self.by_value(value)
                    if target is not None:
                        found.setdefault(target.name, []).append(node.dn.encode())
            for name, values in found.items():
                self._by_name[name].values[back.lower()] = tuple(sorted(values, key=self._guid_of))
                self._by_name[name].spelling[back.lower()] = back


def guid_from_text(text: str) -> bytes | None:
    """Read a GUID in either of its text forms and return its 16 bytes in AD order, or None.

    Hyphenated text names the fields, 32 bare digits name the bytes as stored ([MS-ADTS] section
    "LDAP", alternative forms of DNs).
    """
    bare = text.strip("{}")
    try:
        if "-" in bare:
            return uuid.UUID(bare).bytes_le
        raw = bytes.fromhex(bare)
    except ValueError:
        return None
    return raw if len(raw) == 16 else None


def sid_from_text(text: str) -> bytes | None:
    """Read a SID as `S-1-…` or as hexadecimal digits, or return None."""
    try:
        if not text.upper().startswith("S-"):
            raw = bytes.fromhex(text)
            return raw if len(raw) >= 8 and len(raw) == 8 + 4 * raw[1] else None
        revision, authority, *rest = (int(part) for part in text.split("-")[1:])
        words = b"".join(part.to_bytes(4, "little") for part in rest)
        return bytes([revision, len(rest)]) + authority.to_bytes(6, "big") + words
    except (ValueError, OverflowError):
        return None


def transitive(tree: Tree, start: Node, attribute: str) -> Iterable[Node]:
    """Yield every entry reached by following a link attribute, each once, `start` only if it is reached."""
    seen: set[Name] = set()
    waiting = [start]
    while waiting:
        for value in waiting.pop().get(attribute):
            node = tree.by_value(value)
            if node is not None and node.name not in seen:
                seen.add(node.name)
                waiting.append(node)
                yield node
