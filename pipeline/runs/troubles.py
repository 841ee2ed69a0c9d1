"""What can go wrong with the store, in sentences. Everything leaves as `StoreUnavailable`."""

from __future__ import annotations

import errno
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from pipeline.documents import DocumentError
from pipeline.errors import StoreUnavailable

_log = logging.getLogger(__name__)

# Primary result codes, from SQLite's page "Result and Error Codes".
_BY_SQLITE_CODE: Final = {
    sqlite3.SQLITE_FULL: "The disk that holds the run store is full.",
    sqlite3.SQLITE_READONLY: "The run store is read-only.",
    sqlite3.SQLITE_PERM: "The run store may not be accessed.",
    sqlite3.SQLITE_AUTH: "The run store may not be accessed.",
    sqlite3.SQLITE_BUSY: "The run store is locked by another program.",
    sqlite3.SQLITE_LOCKED: "The run store is locked by another program.",
    sqlite3.SQLITE_CORRUPT: "The file of the run store is damaged.",
    sqlite3.SQLITE_NOTADB: "The file of the run store is damaged, or not a SQLite database.",
    sqlite3.SQLITE_CANTOPEN: "The file of the run store cannot be opened.",
    sqlite3.SQLITE_IOERR: "The disk that holds the run store reports errors.",
    sqlite3.SQLITE_CONSTRAINT: "The run store refused a record that contradicts what it holds.",
    sqlite3.SQLITE_TOOBIG: "A record is too large for the run store.",
    sqlite3.SQLITE_NOMEM: "There is no memory left for the run store.",
}
_BY_ERRNO: Final = {
    errno.ENOSPC: "The disk that holds the run store is full.",
    errno.EDQUOT: "The disk quota for the run store is used up.",
    errno.EROFS: "The run store is read-only.",
    errno.EACCES: "The run store may not be accessed.",
    errno.EPERM: "The run store may not be accessed.",
    errno.ENOTDIR: "The folder of the run store is not a folder.",
    errno.EEXIST: "The folder of the run store is not a folder.",
    errno.EISDIR: "There is a folder where the file of the run store should be.",
    errno.ENAMETOOLONG: "The path of the run store is too long.",
}
# From PostgreSQL's page "PostgreSQL Error Codes": whole codes, and classes of two characters.
_BY_SQLSTATE: Final = {
    "53100": "The disk that holds the run store is full.",
    "53300": "The run store takes no more connections.",
    "25006": "The run store is read-only.",
    "28000": "The run store refuses Fourcheck's name or password.",
    "28P01": "The run store refuses Fourcheck's name or password.",
    "3D000": "The database of the run store does not exist.",
    "42501": "The run store may not be accessed.",
    "55P03": "The run store is locked by another program.",
    "57014": "The run store took too long.",
    "XX001": "The files of the run store are damaged.",
    "XX002": "The files of the run store are damaged.",
    "08": "The run store cannot be reached.",
    "57": "The run store is stopping or starting.",
    "23": "The run store refused a record that contradicts what it holds.",
    "54": "A record is too large for the run store.",
}


@contextmanager
def translated(place: Path | None = None) -> Iterator[None]:
    """Turn every error of the database, the operating system or a document into StoreUnavailable.

    `place` is added to the sentence: right at start, where an operator reads it, and left out of what is
    shown to people in a channel.
    """
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError, UnicodeError, DocumentError) as error:
        message = sentence(error)
        _log.warning("%s (%s)", message, technical(error))
        raise StoreUnavailable(f"{message} ({place})" if place else message) from error


def sentence(error: BaseException) -> str:
    """Say what happened, without a value that was to be stored."""
    cause = _cause(error)
    code = getattr(cause, "sqlite_errorcode", None)
    if isinstance(code, int):  # the low byte of an extended code is the primary one
        return _BY_SQLITE_CODE.get(code & 0xFF, "The run store failed.")
    state = sqlstate(error)
    if state is not None:
        return _BY_SQLSTATE.get(state) or _BY_SQLSTATE.get(state[:2]) or "The run store failed."
    if isinstance(error, OperationalError | PoolTimeout):  # psycopg has no code for a failed connection
        return "The run store cannot be reached."
    if isinstance(cause, OSError) and cause.errno is not None:
        return _BY_ERRNO.get(cause.errno, "The run store cannot be reached.")
    if isinstance(cause, DocumentError):
        return f"A stored run cannot be read: {cause}."
    return "The run store failed."


def sqlstate(error: BaseException) -> str | None:
    """Return PostgreSQL's code for what happened, where it has given one."""
    state = getattr(_cause(error), "sqlstate", None)
    return state if isinstance(state, str) else None


def technical(error: BaseException) -> str:
    """Name the fault for the log, without a value that was to be stored."""
    cause = _cause(error)
    name = getattr(cause, "sqlite_errorname", None) or sqlstate(error)
    if name is None and isinstance(cause, OSError) and cause.errno is not None:
        name = errno.errorcode.get(cause.errno)
    return f"{type(cause).__name__} {name}" if name else type(cause).__name__


def _cause(error: BaseException) -> BaseException:
    return getattr(error, "orig", None) or error
