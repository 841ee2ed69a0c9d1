"""Writes in one thread, in the order they were asked for; those that wait together share a commit."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from sqlalchemy import Connection

from pipeline.runs.sqlite import SqliteFile
from pipeline.runs.troubles import translated

_T = TypeVar("_T")
_MOST: Final = 64
"""How many writes share a commit at most: a batch holds its callers up for as long as all of it takes."""


@dataclass(frozen=True, slots=True)
class _Write:
    statements: Callable[[Connection], Any]
    durable: bool
    answer: Future[Any] = field(default_factory=Future)
    context: Context = field(default_factory=copy_context)
    """Of whoever asked for it: lines of the log say which run they are about."""

    def carry_out(self, connection: Connection) -> Any:
        return self.context.run(self.statements, connection)


class Writer:
    """Carry out writes on a store file.

    A commit that waits for the disk costs far more than the statements in it, so whatever has queued up
    behind one is put into the next. When any of them fails, all are rolled back and done again one by one:
    each then succeeds or fails for itself. `statements` must therefore be repeatable.
    """

    def __init__(self, file: SqliteFile) -> None:
        self._file: Final = file
        self._waiting: Final[deque[_Write]] = deque()
        self._thread: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store-writer")

    def submit(self, statements: Callable[[Connection], _T], *, durable: bool) -> Future[_T]:
        """Queue statements for a transaction. Those of a durable write are on the disk with its answer."""
        write = _Write(statements, durable)
        self._waiting.append(write)
        self._thread.submit(self._take_batch)
        return write.answer

    def close(self) -> None:
        """Return when everything that was queued is done."""
        self._thread.shutdown(wait=True)

    def _take_batch(self) -> None:
        batch: list[_Write] = []
        while self._waiting and len(batch) < _MOST:
            write = self._waiting.popleft()
            if write.answer.set_running_or_notify_cancel():
                batch.append(write)
        if len(batch) <= 1 or not self._done_together(batch):  # none: an earlier turn has done it
            for write in batch:
                self._do_alone(write)

    def _done_together(self, batch: list[_Write]) -> bool:
        def all_of_them(connection: Connection) -> list[Any]:
            return [write.carry_out(connection) for write in batch]

        try:
            results = self._transaction(all_of_them, durable=any(write.durable for write in batch))
        except Exception:  # noqa: BLE001 -- whose error it is, each learns when it is tried alone
            return False
        for write, result in zip(batch, results, strict=True):
            write.answer.set_result(result)
        return True

    def _do_alone(self, write: _Write) -> None:
        try:
            result = write.context.run(self._in_words, write)
        except BaseException as error:  # noqa: BLE001 -- it belongs to the caller
            write.answer.set_exception(error)
        else:
            write.answer.set_result(result)

    def _in_words(self, write: _Write) -> Any:
        with translated():
            return self._transaction(write.statements, durable=write.durable)

    def _transaction(self, statements: Callable[[Connection], _T], *, durable: bool) -> _T:
        self._file.require_in_place()
        engine = self._file.writer if durable else self._file.progress
        with engine.begin() as connection:
            return statements(connection)
