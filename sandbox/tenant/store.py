"""The tenant's objects in memory: dictionaries with unique indexes; a write happens whole or not at all."""

from __future__ import annotations

import random
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Entry:
    """One directory object. Links hold ids; a link to a deleted object sleeps until it is restored."""

    id: str
    kind: str
    properties: Mapping[str, Any]
    manager: str | None = None
    members: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    cloud_managed: bool = False

    def get(self, name: str) -> Any:
        """Give a property's stored value, None when it was never set."""
        return self.properties.get(name)

    def with_properties(self, changes: Mapping[str, Any]) -> Entry:
        """Give a copy with `changes` laid over the properties."""
        return replace(self, properties={**self.properties, **changes})

    @property
    def synced(self) -> bool:
        """Say whether the sync service masters this object."""
        return self.get("onPremisesSyncEnabled") is True and not self.cloud_managed


class KeyTaken(Exception):
    """A unique value belongs to another live object."""

    def __init__(self, property_name: str, other: str) -> None:
        super().__init__(property_name, other)
        self.property_name = property_name
        self.other = other


IndexKey = tuple[str, str]


@dataclass(slots=True)
class State:
    """One consistent picture of the tenant. A transaction works on a copy."""

    live: dict[str, Entry] = field(default_factory=dict)
    deleted: dict[str, Entry] = field(default_factory=dict)
    keys: dict[IndexKey, str] = field(default_factory=dict)

    def copy(self) -> State:
        """Copy the dictionaries; the entries are frozen and shared."""
        return State(dict(self.live), dict(self.deleted), dict(self.keys))

    def put(self, entry: Entry) -> None:
        """Add or replace a live object; raise KeyTaken when a unique value is another's."""
        wanted = dict(unique_keys(entry))
        for key, property_name in wanted.items():
            holder = self.keys.get(key)
            if holder is not None and holder != entry.id:
                raise KeyTaken(property_name, holder)
        self._forget_keys(entry.id)
        self.live[entry.id] = entry
        for key in wanted:
            self.keys[key] = entry.id

    def remove(self, object_id: str) -> Entry:
        """Take a live object out and give it back."""
        self._forget_keys(object_id)
        return self.live.pop(object_id)

    def find(self, index: str, value: str) -> Entry | None:
        """Look a live object up by a unique value; `value` folded as the index does."""
        holder = self.keys.get((index, value))
        return self.live.get(holder) if holder is not None else None

    def of_kind(self, kind: str) -> Iterator[Entry]:
        """Go through the live objects of one kind in the order of their creation."""
        return (entry for entry in self.live.values() if entry.kind == kind)

    def _forget_keys(self, object_id: str) -> None:
        old = self.live.get(object_id)
        for key, _ in unique_keys(old) if old is not None else ():
            self.keys.pop(key, None)


def unique_keys(entry: Entry) -> Iterable[tuple[IndexKey, str]]:
    """List the unique values of an object: (index, folded value) with the property it stands in."""
    if upn := entry.get("userPrincipalName"):
        yield ("userPrincipalName", str(upn).casefold()), "userPrincipalName"
    if anchor := entry.get("onPremisesImmutableId"):
        # An anchor is base64, in which case carries information.
        yield ("onPremisesImmutableId", str(anchor)), "onPremisesImmutableId"
    if sid := entry.get("onPremisesSecurityIdentifier"):
        yield ("onPremisesSecurityIdentifier", str(sid).upper()), "onPremisesSecurityIdentifier"
    if unique_name := entry.get("uniqueName"):
        yield ("uniqueName", str(unique_name).casefold()), "uniqueName"
    for address in entry.get("proxyAddresses") or ():
        yield ("proxyAddresses", str(address).casefold()), "proxyAddresses"
    if entry.kind == "group" and "Unified" in (entry.get("groupTypes") or ()):
        yield ("mailNickname", str(entry.get("mailNickname")).casefold()), "mailNickname"


class Store:
    """The tenant's state behind one lock, with a clock and an endless supply of the same ids."""

    def __init__(self, *, clock: Clock, seed: str) -> None:
        self.clock = clock
        self.seed = seed
        self.lock = threading.RLock()
        self.state = State()
        self._objects = random.Random(f"{seed}/objects")  # noqa: S311 (ids that repeat are the point)
        self._requests = random.Random(f"{seed}/requests")  # noqa: S311 (as above)
        self._stale: State | None = None
        self._stale_reads = 0

    def new_id(self) -> str:
        """Give the next id for an object, a version 4 GUID by its form."""
        return str(uuid.UUID(int=self._objects.getrandbits(128), version=4))

    def new_request_id(self) -> str:
        """Give the next id for a request: a sequence of its own, so that reads move no object's id."""
        return str(uuid.UUID(int=self._requests.getrandbits(128), version=4))

    def now(self) -> datetime:
        """Give the time in UTC."""
        return self.clock().astimezone(UTC)

    def timestamp(self) -> str:
        """Give the time as Graph writes it: whole seconds and Z."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    @contextmanager
    def transaction(self) -> Iterator[State]:
        """Work on a copy that becomes the state when the block ends without an error."""
        with self.lock:
            draft = self.state.copy()
            yield draft
            self.state = draft

    def view(self) -> State:
        """Give the state a read sees: the present one, or an older replica's while a lag lasts."""
        with self.lock:
            if self._stale is not None and self._stale_reads > 0:
                return self._stale
            return self.state

    def lag(self, before: State, reads: int) -> None:
        """Let the next `reads` reads see `before`, as a replica does that has not got the write."""
        with self.lock:
            self._stale, self._stale_reads = before, reads

    def read_done(self) -> None:
        """Count one read against the lag."""
        with self.lock:
            self._stale_reads = max(0, self._stale_reads - 1)
            if not self._stale_reads:
                self._stale = None
