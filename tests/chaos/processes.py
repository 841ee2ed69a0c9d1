"""Processes of the real bot, forked by the nursery, and what can be done to them."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]


def memory() -> Path | None:
    """Return where files are kept in memory, if there is such a place.

    What a killed process has written is the kernel's already: the tests need no disk.
    """
    place = Path("/dev/shm")  # noqa: S108  # by its name; folders of our own are made in it
    return place if place.is_dir() and os.access(place, os.W_OK) else None


class Nursery:
    """The process that forks the others. Its methods block for a millisecond or two."""

    def __init__(self) -> None:
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.nursery"],
            cwd=ROOT,
            env=kept,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert "ready" in self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        assert line, "the nursery has ended"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _ask(self, **order: object) -> dict[str, Any]:
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps(order) + "\n")
        self._child.stdin.flush()
        return self._answer()

    def start(self, settings: Mapping[str, str], folder: Path, wish: Path | None = None) -> Process:
        """Fork a process of the bot, with these settings, that writes its log into the folder."""
        number = len(list(folder.glob("bot-*.log")))
        log = folder / f"bot-{number}.log"
        log.touch()
        wish = wish or folder / "wish.json"
        pid = self._ask(settings=dict(settings), log=str(log), wish=str(wish))["pid"]
        return Process(self, pid, log, wish)

    def status(self, pid: int) -> int:
        """Return how a process ended, that has."""
        return int(self._ask(ended=pid)["status"])

    def close(self) -> None:
        """End the nursery and whom it forked."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.close()
        self._child.wait(timeout=30)
        self._child.stdout.close()


@dataclass(eq=False)
class Process:
    """A process of the bot."""

    nursery: Nursery
    pid: int
    log: Path
    wish_file: Path
    status: int | None = None
    _watch: int = field(default=-1)

    def __post_init__(self) -> None:
        self._watch = os.pidfd_open(self.pid)

    @property
    def lives(self) -> bool:
        """Whether it has not ended."""
        return self.status is None and not select.select([self._watch], [], [], 0)[0]

    @property
    def listens(self) -> bool:
        """Whether it has said that it takes commands."""
        return "fourcheck listens on" in self.told()

    def wish(self, at: str, turn: int = 1, **more: object) -> None:
        """Let it end at a milestone; see the nursery."""
        wish_at(self.wish_file, at, turn, **more)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self.status is None:
            signal.pidfd_send_signal(self._watch, number)

    def kill(self) -> None:
        """Kill it, and return when it is dead: no byte that is sent to it afterwards is ever read."""
        self.send(signal.SIGKILL)
        if self.status is None:
            select.select([self._watch], [], [], 30)

    def bury(self) -> None:
        """Kill it and forget it."""
        self.kill()
        if self.status is None:
            self._reap()

    async def ended(self, within: float = 15.0) -> int:
        """Wait for its end and return how it ended, negative for a signal."""
        if self.status is None:
            loop = asyncio.get_running_loop()
            over = asyncio.Event()
            loop.add_reader(self._watch, over.set)
            try:
                await asyncio.wait_for(over.wait(), within)
            except TimeoutError:
                raise AssertionError(f"it has not ended:\n{self.told()}") from None
            finally:
                loop.remove_reader(self._watch)
            self._reap()
        assert self.status is not None
        return self.status

    def _reap(self) -> None:
        self.status = self.nursery.status(self.pid)
        os.close(self._watch)

    def passed(self, milestone: str) -> int:
        """Return how often it has passed a milestone."""
        trace = self.log.with_suffix(".passed")
        return trace.read_text(encoding="ascii").split().count(milestone) if trace.exists() else 0

    def told(self) -> str:
        """Return its log."""
        return self.log.read_text(encoding="utf-8")


def wish_at(file: Path, at: str, turn: int = 1, **more: object) -> None:
    """Write where a process is to end."""
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps({"at": at, "turn": turn, **more}), encoding="utf-8")
    draft.replace(file)
