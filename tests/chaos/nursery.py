"""A process that has imported the bot and forks one whenever it is told to: a start costs milliseconds.

Run as `python -m tests.chaos.nursery`. It reads JSON lines. `{"settings": {…}, "log": PATH, "wish": PATH}`
forks a process that does what `fourcheck serve` does, with these settings as its environment, and answers
`{"pid"}`. `{"ended": PID}` waits for its end and answers `{"status"}`, negative for a signal. At the end of
its input it kills whom it forked.

The file `wish` says where a process is to end, and may be written at any time: `{"at": MILESTONE, "turn": N,
"how": "SIGKILL", "step": TEXT}`; `turn` counts from the writing of the wish. Nothing of this is known to the
product: a milestone is a line of the log, and this is a handler of the log, which also writes them down,
beside the log, in a file whose name ends in `.passed`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, NoReturn

import msal  # type: ignore[import-untyped] # noqa: F401  # it has no types; imported once, here, rather than by each process
import uvloop  # noqa: F401

import pipeline.runs.postgres  # noqa: F401
from bot import wiring  # noqa: F401
from bot.cli import main
from pipeline.configuration import load_configurations
from pipeline.milestones import NAME
from pipeline.runs.store import open_store

CONFIGURATIONS = Path(__file__).parents[2] / "configurations"


class EndAt(logging.Handler):
    """Ends the process, or freezes it, when a milestone is passed for the n-th time since it was wished."""

    def __init__(self, wish: Path, trace: Path) -> None:
        super().__init__(logging.DEBUG)
        self._file = wish
        self._trace = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._read: tuple[int, dict[str, Any]] = 0, {}
        self._passed = 0

    def emit(self, record: logging.LogRecord) -> None:
        """End here and now."""
        os.write(self._trace, f"{getattr(record, 'milestone', '')}\n".encode())
        wish = self._wish()
        if getattr(record, "milestone", None) != wish.get("at"):
            return
        step = wish.get("step")
        if step and step not in str(getattr(record, "facts", {}).get("step")):
            return
        self._passed += 1
        if self._passed == wish.get("turn", 1):
            os.kill(os.getpid(), signal.Signals[wish.get("how", "SIGKILL")])

    def _wish(self) -> dict[str, Any]:
        try:
            written = self._file.stat().st_mtime_ns
            if written != self._read[0]:
                self._read = written, json.loads(self._file.read_bytes())
                self._passed = 0
        except FileNotFoundError:
            self._read = 0, {}
        return self._read[1]


def serve(order: dict[str, Any]) -> NoReturn:
    """Be the bot until the end."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream, place in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(stream, place)
    for name in [name for name in os.environ if name.startswith("FOURCHECK_")]:
        del os.environ[name]
    os.environ.update(order["settings"])
    os.chdir(Path(order["log"]).parent)  # no .env file of whoever runs the tests
    milestones = logging.getLogger(NAME)
    milestones.propagate = False
    milestones.setLevel(logging.DEBUG)
    milestones.addHandler(EndAt(Path(order["wish"]), Path(order["log"]).with_suffix(".passed")))
    status = 70
    try:
        status = main(["serve"])
    finally:
        sys.stderr.flush()
        os._exit(status)


def answer(order: dict[str, Any], living: set[int]) -> dict[str, int]:
    """Carry out one order."""
    if "ended" in order:
        pid = int(order["ended"])
        _, status = os.waitpid(pid, 0)
        living.discard(pid)
        return {"status": os.waitstatus_to_exitcode(status)}
    pid = os.fork()
    if pid == 0:
        serve(order)
    living.add(pid)
    return {"pid": pid}


def warm_up() -> None:
    """Do once what every start does, so that whatever is imported or built for it is there."""
    load_configurations(CONFIGURATIONS)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(open_store(f"sqlite:///{folder}/runs.db").close())
    assert threading.active_count() == 1, "a fork would lose the others"
    gc.freeze()


def rear() -> None:
    """Carry out orders until there are no more."""
    warm_up()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever presses Ctrl+C closes the input as well
    living: set[int] = set()
    try:
        print(json.dumps({"ready": os.getpid()}), flush=True)  # noqa: T201  # the answer to having been started
        for line in sys.stdin:
            print(json.dumps(answer(json.loads(line), living)), flush=True)  # noqa: T201  # an answer
    finally:
        for pid in living:
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    rear()
