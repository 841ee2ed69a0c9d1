"""The store in one SQLite file beside the bot: its folder, its lock, its two connections.

One connection writes, in one thread; another can only read, in a thread of its own, so that opening details
never waits behind a burst of writes (write-ahead logging keeps the two apart).
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool, QueuePool

from pipeline.errors import StoreUnavailable
from pipeline.runs.migrations import HEAD, SCRIPTS, migrate
from pipeline.runs.tables import compact

_PRIVATE_FOLDER: Final = 0o700
_PRIVATE_FILE: Final = 0o600
_MIGRATION_WAIT: Final = 60.0
"""Seconds to wait for another process that migrates: it takes as long as it takes."""


class SqliteFile:
    """An open store file. `writer` and `reader` are engines of one connection each.

    `progress` is the writer for what a power cut may take back: its commits survive the end of the process,
    and reach the disk with the writer's next one at the latest.

    The host (the one process that executes accepted runs) holds the file `….lock` exclusively; a guest (a
    command line beside a running bot) shares `….guests`, which tells a starting host that guests are at work.
    """

    def __init__(self, url: str, *, guest: bool, lock_wait: float) -> None:
        self.path: Final = path_of(url)
        _make_folder(self.path.parent)
        self._guests: Final = self.path.with_name(self.path.name + ".guests")
        self._lock: Final = _hold_shared(self._guests) if guest else _hold_alone(self.path)
        try:
            with _folder_locked(self.path.parent):
                _make_file(self.path)
                bring_up_to_date(self.path, guest=guest)
            self._connect_engines(lock_wait)
        except BaseException:
            os.close(self._lock)
            raise

    def _connect_engines(self, lock_wait: float) -> None:
        self.writer = _engine(lambda: _connect(self.path, "rw", lock_wait), _begin_writing, QueuePool)
        self.progress = self.writer.execution_options(durable=False)
        self.reader = _engine(lambda: _connect(self.path, "ro", lock_wait), _begin_reading, QueuePool)
        self._identity = _identity(self.path)

    def require_in_place(self) -> None:
        """Raise StoreUnavailable when the file was moved, deleted or replaced since it was opened.

        SQLite would go on writing to a file that has no name any more, and every record would be lost.
        """
        with suppress(FileNotFoundError):
            if _identity(self.path) == self._identity:
                return
        raise StoreUnavailable(
            "The file of the run store was moved, deleted or replaced while Fourcheck was running.",
            remedy="Restart Fourcheck; if the file was moved by mistake, put it back first.",
        )

    @contextmanager
    def without_guests(self) -> Iterator[bool]:
        """Keep guests from starting; give whether none is at work."""
        descriptor = _open_lock(self._guests)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Close both connections and let go of the lock."""
        self.reader.dispose()
        self.writer.dispose()  # the last one out folds the write-ahead log into the file
        os.close(self._lock)


def bring_up_to_date(path: Path, scripts: Path = SCRIPTS, head: str = HEAD, *, guest: bool = False) -> None:
    """Migrate the database in a file to `head`, in one transaction on a connection of its own."""
    engine = _engine(
        lambda: _connect(path, "rw", _MIGRATION_WAIT, foreign_keys=False), _begin_writing, NullPool
    )
    with engine.begin() as connection:
        migrate(connection, scripts, head, guest=guest)


def probe(connection: Connection) -> None:
    """Write one page without changing anything, to learn whether the file can still be written."""
    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    connection.exec_driver_sql(f"PRAGMA user_version = {int(version)}")


def path_of(url: str) -> Path:
    """Return the file that a URL `sqlite:///relative` or `sqlite:////absolute` names.

    Raises StoreUnavailable for any other URL, without quoting it: it may hold a password.
    """
    remedy = "Set FOURCHECK_STORE__URL to sqlite:///PATH, four slashes for an absolute path."
    try:
        parsed: URL = make_url(url)
    except (ArgumentError, ValueError):
        raise StoreUnavailable("The URL of the run store cannot be read.", remedy=remedy) from None
    if parsed.get_backend_name() != "sqlite":
        kind = parsed.get_backend_name()
        raise StoreUnavailable(f"Runs can be stored in SQLite, not in {kind}.", remedy=remedy)
    if parsed.database in {None, "", ":memory:"} or parsed.host or "?" in url:
        raise StoreUnavailable("The URL of the run store must name a file.", remedy=remedy)
    return Path(str(parsed.database)).absolute()


def _engine(
    connect: Callable[[], sqlite3.Connection],
    begin: Callable[[Connection], None],
    pool: type[NullPool | QueuePool],
) -> Engine:
    """Make an engine whose transactions are begun by `begin`; Python's driver leaves them alone."""
    sizes = {"pool_size": 1, "max_overflow": 0} if pool is QueuePool else {}
    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=pool,
        hide_parameters=True,  # evidence belongs in no traceback
        json_serializer=compact,
        **sizes,
    )
    event.listen(engine, "begin", begin)
    return engine


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_writing(connection: Connection) -> None:
    """Take the write lock at the start, and decide whether the commit waits for the disk.

    A deferred transaction that reads first and writes later fails at once, whatever the busy timeout, when
    somebody else committed in between. In WAL mode synchronous FULL syncs the log at every commit, and with
    it all earlier ones, and NORMAL does not (SQLite, page "Pragma statements supported by SQLite").
    """
    durable = connection.get_execution_options().get("durable", True)
    connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _connect(path: Path, mode: str, lock_wait: float, *, foreign_keys: bool = True) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode={mode}",
        uri=True,
        timeout=lock_wait,  # SQLite's busy timeout
        isolation_level=None,
        check_same_thread=False,  # each engine is used by one thread, but closed by another
    )
    try:
        if mode != "ro":
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
    except BaseException:
        connection.close()
        raise
    return connection


# -- files and locks -------------------------------------------------------------------------------------


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)


def _make_file(path: Path) -> None:
    """Make the file, for its owner alone; SQLite gives its companions the same mode."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE_FILE))


@contextmanager
def _folder_locked(folder: Path) -> Iterator[None]:
    """Let one process at a time make and migrate a file.

    The migration's transaction is a lock already, but turning write-ahead logging on needs the file alone and
    fails at once, whatever the busy timeout, when two try.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, _PRIVATE_FILE)


def _hold_shared(path: Path) -> int:
    descriptor = _open_lock(path)
    fcntl.flock(descriptor, fcntl.LOCK_SH)  # waits only for a host that is just starting
    return descriptor


def _hold_alone(path: Path) -> int:
    descriptor = _open_lock(path.with_name(path.name + ".lock"))
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise StoreUnavailable(
            f"The run store is in use by another Fourcheck process{f' ({holder})' if holder else ''}.",
            remedy="Stop that process, or give this one a store of its own in FOURCHECK_STORE__URL.",
        ) from None
    except BaseException:
        os.close(descriptor)
        raise
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"pid {os.getpid()}\n".encode(), 0)
    return descriptor
