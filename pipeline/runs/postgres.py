"""The store in PostgreSQL, for any number of processes at once.

Every write is a transaction of its own on one of a few connections. What one process changes, the others
learn by NOTIFY, which PostgreSQL delivers when the transaction is committed (page "NOTIFY").
"""

from __future__ import annotations

import itertools
import logging
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, func, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from pipeline.errors import StoreUnavailable
from pipeline.runs.migrations import HEAD, SCRIPTS, migrate
from pipeline.runs.tables import compact
from pipeline.runs.troubles import sqlstate, translated

CHANNEL: Final = "fourcheck_runs"
"""The channel of NOTIFY. A pooler that shares connections between transactions does not carry it."""

OLDEST: Final = 15
"""The oldest major version of PostgreSQL that this is tested with."""

_MIGRATION_LOCK: Final = 0x464F5552
"""The key of the advisory lock under which one process migrates; any number that nobody else uses."""

_WRITERS: Final = 4
_READERS: Final = 2
_RECONNECT_S: Final = 0.5
_LISTEN_S: Final = 1.0
"""How long the listener waits at a time before it looks whether it is to stop, in seconds."""

# A process that is frozen in the middle of a transaction must not hold its locks for ever, nor may a server
# that went away without a word hold a process up (PostgreSQL, pages "Client Connection Defaults" and
# "Database Connection Control Functions").
_OPTIONS: Final = "-c idle_in_transaction_session_timeout=5s -c statement_timeout=15s -c timezone=UTC"
_KEEPALIVE: Final = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

# Somebody else came first; what they committed is in view now, and the statements decide anew: a constraint,
# a serialization failure, a deadlock (PostgreSQL, page "PostgreSQL Error Codes").
_AGAIN: Final = frozenset({"23505", "23503", "40001", "40P01"})

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class PostgresDatabase:
    """A database that any number of processes share. Times are the server's."""

    shared: bool = True

    def __init__(self, url: str, *, guest: bool = False) -> None:
        parsed = _parsed(url)
        engine = _engine(parsed)
        try:
            bring_up_to_date(engine, guest=guest)
        except BaseException:
            engine.dispose()
            raise
        self.engine: Final = engine
        self.reader: Final = engine.execution_options(postgresql_readonly=True)
        self._writers: Final = [ThreadPoolExecutor(1, f"store-writer-{n}") for n in range(_WRITERS)]
        self._turns: Final = itertools.count()
        self._readers: Final = ThreadPoolExecutor(_READERS, thread_name_prefix="store-reader")
        self._listener: _Listener | None = None
        self._address: Final = _address(parsed)

    def write(
        self, statements: Callable[[Connection], _T], *, durable: bool, about: str | None = None
    ) -> Future[_T]:
        """Carry out statements in a transaction; once more where another one came first.

        Those about the same run go to the same thread, and so keep the order of the calls.
        """

        def work() -> _T:
            with translated():
                try:
                    return self._transaction(statements, durable=durable)
                except DBAPIError as error:
                    if sqlstate(error) not in _AGAIN:
                        raise
                return self._transaction(statements, durable=durable)

        turn = next(self._turns) if about is None else zlib.crc32(about.encode("utf-8", "surrogatepass"))
        return self._writers[turn % _WRITERS].submit(copy_context().run, work)  # for the log: which run it is

    def _transaction(self, statements: Callable[[Connection], _T], *, durable: bool) -> _T:
        with self.engine.begin() as connection:
            if not durable:  # its commit does not wait for the disk
                connection.execute(text("SET LOCAL synchronous_commit = off"))
            return statements(connection)

    def read(self, statements: Callable[[Connection], _T]) -> Future[_T]:
        """Carry out statements in a transaction that can change nothing."""

        def work() -> _T:
            with translated(), self.reader.begin() as connection:
                return statements(connection)

        return self._readers.submit(copy_context().run, work)

    def now(self, connection: Connection) -> datetime | None:
        """Return the server's time, which all processes share; the moment, not that of the transaction."""
        now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return now

    def notify(self, connection: Connection) -> None:
        """Wake every process that listens when this transaction is committed."""
        connection.execute(select(func.pg_notify(CHANNEL, "")))

    def listen(self, woken: Callable[[], None]) -> None:
        """Listen on a connection of its own, which is opened again whenever it is lost."""
        self._listener = _Listener(self._address, woken)
        self._listener.start()

    @contextmanager
    def without_guests(self) -> Iterator[bool]:
        """Give false: nobody knows who else is at work, and leases tell who no longer is."""
        yield False

    def probe(self, connection: Connection) -> None:
        """Ask for a lock and a transaction id, which a server that cannot be written refuses."""
        connection.execute(select(func.pg_current_xact_id()))

    def close(self) -> None:
        """Return when everything that was begun is done."""
        if self._listener is not None:
            self._listener.stop()
        for writer in self._writers:
            writer.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        self.engine.dispose()


class _Listener(threading.Thread):
    """Waits for notifications. After every (re)connect it wakes too: something may have been missed."""

    def __init__(self, address: str, woken: Callable[[], None]) -> None:
        super().__init__(name="store-listener", daemon=True)
        self._address = address
        self._woken = woken
        self._stopping = threading.Event()

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except psycopg.Error as error:
                _log.warning("not listening to the run store: %s", type(error).__name__)
                self._stopping.wait(_RECONNECT_S)

    def _listen(self) -> None:
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            self._woken()
            while not self._stopping.is_set():
                for _ in connection.notifies(timeout=_LISTEN_S, stop_after=1):
                    self._woken()

    def stop(self) -> None:
        self._stopping.set()
        self.join(timeout=2 * _LISTEN_S)


def bring_up_to_date(
    engine: Engine, scripts: Path = SCRIPTS, head: str = HEAD, *, guest: bool = False
) -> None:
    """Migrate the database to `head`, in one transaction; of several that start at once, one does."""
    with engine.begin() as connection:
        major = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
        if major < OLDEST:
            raise StoreUnavailable(
                f"The run store is PostgreSQL {major}; {OLDEST} or later is needed.",
                remedy="Name a newer server in FOURCHECK_STORE__URL.",
            )
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(select(func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        migrate(connection, scripts, head, guest=guest)


def _parsed(url: str) -> URL:
    remedy = "Set FOURCHECK_STORE__URL to postgresql://USER@HOST/DATABASE."
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise StoreUnavailable("The URL of the run store cannot be read.", remedy=remedy) from None
    if not parsed.database:
        raise StoreUnavailable("The URL of the run store must name a database.", remedy=remedy)
    return parsed.set(drivername="postgresql+psycopg")


def _engine(parsed: URL) -> Engine:
    query = {key: value for key, value in _KEEPALIVE.items() if key not in parsed.query}
    return create_engine(
        parsed,
        connect_args={**query, "options": _OPTIONS},
        pool_size=_WRITERS + _READERS,
        max_overflow=0,
        pool_timeout=5,
        pool_pre_ping=True,  # a connection that the server closed meanwhile fails no statement
        hide_parameters=True,  # evidence belongs in no traceback
        json_serializer=compact,
    )


def _address(parsed: URL) -> str:
    """Return the address as the driver itself takes it."""
    keepalive = {key: str(value) for key, value in _KEEPALIVE.items() if key not in parsed.query}
    given = parsed.set(drivername="postgresql").update_query_dict(keepalive)
    return given.render_as_string(hide_password=False)
