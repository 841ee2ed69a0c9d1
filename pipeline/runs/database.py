"""What the store needs of a database, and the embedded one: a SQLite file that one process has to itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from datetime import datetime
from typing import Final, Protocol, TypeVar

from sqlalchemy import Connection

from pipeline.runs.sqlite import SqliteFile, probe
from pipeline.runs.troubles import translated
from pipeline.runs.writing import Writer

_T = TypeVar("_T")


class Database(Protocol):
    """Carries out statements in transactions, in threads of its own. Failures are StoreUnavailable."""

    shared: bool
    """Whether several processes may execute runs of it at once."""

    def write(
        self, statements: Callable[[Connection], _T], *, durable: bool, about: str | None = None
    ) -> Future[_T]:
        """Carry out statements, which must be repeatable; a durable write is on the disk with its answer.

        Those about the same run are carried out in the order of the calls.
        """
        ...

    def read(self, statements: Callable[[Connection], _T]) -> Future[_T]:
        """Carry out statements that change nothing."""
        ...

    def now(self, connection: Connection) -> datetime | None:
        """Return the database's own time, where it has a clock that all its processes share."""
        ...

    def notify(self, connection: Connection) -> None:
        """Wake the other processes when this transaction is committed."""
        ...

    def listen(self, woken: Callable[[], None]) -> None:
        """Call this, from any thread, when another process notifies, or may have done so unheard."""
        ...

    def without_guests(self) -> AbstractContextManager[bool]:
        """Keep guests from starting; give whether none is at work."""
        ...

    def probe(self, connection: Connection) -> None:
        """Learn whether the database can still be written."""
        ...

    def close(self) -> None:
        """Finish what was begun, then let go of the database."""
        ...


class SqliteDatabase:
    """One file, one thread that writes and one that reads. Times are the process's own."""

    shared: bool = False

    def __init__(self, url: str, *, guest: bool, lock_wait: float) -> None:
        self.file: Final = SqliteFile(url, guest=guest, lock_wait=lock_wait)
        self._writer: Final = Writer(self.file)
        self._reader: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store-reader")

    def write(
        self, statements: Callable[[Connection], _T], *, durable: bool, about: str | None = None
    ) -> Future[_T]:
        """Queue statements behind those that were asked for before; what waits together shares a commit."""
        del about
        return self._writer.submit(statements, durable=durable)

    def read(self, statements: Callable[[Connection], _T]) -> Future[_T]:
        """Read past the writer, in a transaction of its own."""

        def work() -> _T:
            with translated(), self.file.reader.begin() as connection:
                return statements(connection)

        return self._reader.submit(copy_context().run, work)  # for the log: which run it is about

    def now(self, connection: Connection) -> datetime | None:
        """Return nothing: there is one process, and its clock is as good as any."""
        del connection
        return None

    def notify(self, connection: Connection) -> None:
        """Do nothing: nobody else executes runs of this file."""
        del connection

    def listen(self, woken: Callable[[], None]) -> None:
        """Do nothing: nobody else executes runs of this file."""
        del woken

    @contextmanager
    def without_guests(self) -> Iterator[bool]:
        """Keep guests from starting; give whether none is at work."""
        with self.file.without_guests() as alone:
            yield alone

    def probe(self, connection: Connection) -> None:
        """Write a page without changing anything."""
        probe(connection)

    def close(self) -> None:
        """Return when everything that was queued is done and the file is let go of."""
        self._writer.close()
        self._reader.shutdown(wait=True)
        with translated():
            self.file.close()
