"""One run at a time on one object, within this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pipeline.ids import ObjectGuid


class ObjectLocks:
    """Locks by object; one that nobody holds or waits for is forgotten."""

    def __init__(self) -> None:
        self._locks: dict[ObjectGuid, asyncio.Lock] = {}
        self._users: dict[ObjectGuid, int] = {}

    @asynccontextmanager
    async def hold(self, guid: ObjectGuid) -> AsyncIterator[None]:
        """Wait until nobody else is at work on the object, and keep others waiting until the block ends."""
        lock = self._locks.setdefault(guid, asyncio.Lock())
        self._users[guid] = self._users.get(guid, 0) + 1
        try:
            async with lock:
                yield
        finally:
            self._users[guid] -= 1
            if self._users[guid] == 0:
                del self._users[guid], self._locks[guid]
