"""One process at a time accepts and executes; a second is refused, a dead one does not stand in the way."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.clock import SystemClock
from pipeline.errors import StoreUnavailable
from pipeline.model import Request, new_run
from pipeline.runs.store import open_store

DATABASES = ("sqlite",)
ROOT = Path(__file__).parents[3]
CHILD = """
import sys
from pipeline.errors import StoreUnavailable
from pipeline.runs.store import open_store

try:
    store = open_store(sys.argv[1], guest=sys.argv[2] == "guest")
except StoreUnavailable as trouble:
    print("refused:", trouble.message, flush=True)
else:
    print("open", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another(url: str, role: str) -> Iterator[subprocess.Popen[str]]:
    """Run another process that opens the store and keeps it until the end of the block."""
    child = subprocess.Popen(  # noqa: S603 -- our own text
        [sys.executable, "-c", CHILD, url, role],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    with child:
        yield child
        child.kill()


def said(child: subprocess.Popen[str]) -> str:
    """Return the child's one line."""
    assert child.stdout is not None
    return child.stdout.readline().strip()


async def test_a_second_process_is_refused(url: str) -> None:
    """Two bots on one file would both execute; the second is told who has it, and what to do."""
    with another(url, "host") as child:
        assert said(child) == "open"
        with pytest.raises(
            StoreUnavailable, match=rf"in use by another Fourcheck process \(pid {child.pid}\)"
        ):
            open_store(url)


async def test_a_second_store_in_the_same_process_is_refused(url: str) -> None:
    """The rule holds within a process too."""
    store = open_store(url)
    with pytest.raises(StoreUnavailable, match="in use"):
        open_store(url)
    await store.close()
    await open_store(url).close()


async def test_a_killed_process_leaves_no_lock(url: str) -> None:
    """The lock goes with the process, so a restart needs nobody's help."""
    with another(url, "host") as child:
        assert said(child) == "open"
        child.kill()
        child.wait()
        await open_store(url).close()


async def test_a_guest_works_beside_the_host(url: str) -> None:
    """A command line can use the store of a running bot, and the bot can start while one is at work."""
    store = open_store(url)
    with another(url, "guest") as child:
        assert said(child) == "open"
        await store.ping()
        await store.close()
        store = open_store(url)
        await store.ping()
    await store.close()


async def test_host_and_guest_write_at_once(url: str, ask: Callable[..., Request]) -> None:
    """Transactions that read before they write do not trip over one another's commits."""
    host, guest = open_store(url), open_store(url, guest=True)

    async def accept() -> None:
        for number in range(100):
            await host.accept(ask(), delivery=str(number), notice={})

    async def save() -> None:
        for _ in range(100):
            await guest.save(new_run(ask(), SystemClock().now()))

    await asyncio.gather(accept(), save())
    assert len(await host.unfinished()) == 200
    await guest.close()
    await host.close()


def test_a_failed_start_keeps_no_lock(url: str, path: Path) -> None:
    """A start that fails lets go of the lock, so that the next try is not told a wrong reason."""
    path.parent.mkdir()
    path.write_bytes(b"not a database" * 100)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="damaged"):
            open_store(url)
    path.unlink()
    asyncio.run(open_store(url).close())
